"""What a provider says of itself, and what is taken of that."""

import pytest
from joserfc.jwk import OctKey

from gateway.identities import providers
from gateway.identities.providers import Provider
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from shared.settings.providers import ProviderSettings
from tests.gateway.identities.scripted import CLIENT, Scripted, make_key


@pytest.fixture
def provider(scripted: Scripted) -> Provider:
    """One that nobody has asked yet."""
    settings = ProviderSettings(name="scripted", issuer=scripted.url, client_id=CLIENT)
    return Provider(settings, Outbound(5, allow_private=True))


async def test_only_keys_that_nobody_else_has_are_taken(
    provider: Provider, scripted: Scripted
) -> None:
    own = scripted.key.as_dict(private=False)
    secret = OctKey.generate_key(256).as_dict(private=True)
    odd = [secret, {"kty": "RSA"}, {"kty": "new"}, 7, {**own, "kid": "other", "use": "enc"}]
    scripted.keys = [*odd, own]
    known = await provider.known()
    assert [key.kid for key in known.keys] == ["first"]
    assert known.algorithms == ["RS256"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"issuer": "https://evil.example"}, "its metadata are those of another issuer"),
        ({"token_endpoint": None}, "its metadata have no good token_endpoint"),
        ({"jwks_uri": ["x"]}, "its metadata have no good jwks_uri"),
        (
            {"userinfo_endpoint": "http://evil.example/me"},
            "its metadata name an address that is not https",
        ),
        (
            {"jwks_uri": "http://127.0.0.1:1/jwks"},
            "the connection to it fails (Connection refused)",
        ),
    ],
)
async def test_metadata_that_are_no_good_are_refused(
    provider: Provider, scripted: Scripted, said: dict[str, object], why: str
) -> None:
    scripted.metadata = said
    with pytest.raises(UnreachableError) as caught:
        await provider.known()
    assert str(caught.value) == why


async def test_a_provider_without_a_key_is_refused(provider: Provider, scripted: Scripted) -> None:
    scripted.keys = []
    with pytest.raises(UnreachableError, match="no key"):
        await provider.known()


async def test_it_is_asked_seldom_whatever_happens(provider: Provider, scripted: Scripted) -> None:
    scripted.keys = []
    for _ in range(3):
        with pytest.raises(UnreachableError, match="no key"):
            await provider.known()
    assert scripted.asked == ["metadata", "keys"]


async def test_what_was_known_stays_known_where_it_fails(
    provider: Provider, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await provider.known()
    scripted.keys = []
    monkeypatch.setattr(providers, "AGAIN_SECONDS", 0.0)
    with pytest.raises(UnreachableError, match="no key"):
        await provider.ask()
    assert await provider.known() is before
    scripted.keys, scripted.key = None, make_key("second")
    await provider.ask()
    assert [key.kid for key in (await provider.known()).keys] == ["second"]
