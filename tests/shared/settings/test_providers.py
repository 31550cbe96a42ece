"""Providers of OpenID Connect: variables whose names have a part that the operator chooses."""

import pytest

from gateway.web.scopes import Scope
from shared.settings.gateway import GatewaySettings
from shared.settings.providers import OUR_SCOPES
from shared.settings.reading import SettingsError, read_settings
from tests.shared.settings.test_settings import GOOD

PUBLIC = {"PUBLIC_URL": "https://chat.example.com"}
ACME = {
    "OIDC_ACME_ISSUER": "https://id.example.com/realms/acme",
    "OIDC_ACME_CLIENT_ID": "genai",
    "OIDC_ACME_CLIENT_SECRET": "nine hundred silver spoons",
}


def read(**variables: str) -> GatewaySettings:
    return read_settings({**GOOD, **PUBLIC, **ACME, **variables}, GatewaySettings)


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**variables)
    return str(caught.value)


def test_there_may_be_none() -> None:
    assert read_settings(GOOD, GatewaySettings).oidc == ()


def test_issuer_and_client_are_enough() -> None:
    [acme] = read().oidc
    assert (acme.name, acme.issuer) == ("acme", "https://id.example.com/realms/acme")
    assert (acme.scopes, acme.bearer) == (("openid", "profile", "email"), False)


def test_there_may_be_several_and_a_name_may_begin_like_another() -> None:
    lab = {"OIDC_ACME_LAB_ISSUER": "http://localhost:8080", "OIDC_ACME_LAB_CLIENT_ID": "x"}
    assert [each.name for each in read(**lab).oidc] == ["acme", "acme_lab"]


def test_a_secret_of_a_client_is_shown_nowhere_and_hidden_in_logs() -> None:
    settings = read()
    assert ACME["OIDC_ACME_CLIENT_SECRET"] not in repr(settings)
    assert ACME["OIDC_ACME_CLIENT_SECRET"] in settings.secret_texts


def test_what_kubernetes_makes_of_a_service_is_no_mistake() -> None:
    assert read(OIDC_ACME_SERVICE_HOST="10.0.0.1", OIDC_ACME_PORT_80_TCP="x", OIDC_PORT="y").oidc


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"OIDC_ACME_ISSUER": ""}, "OIDC_ACME_ISSUER is missing"),
        ({"OIDC_ACME_CLIENT_ID": ""}, "OIDC_ACME_CLIENT_ID is missing"),
        ({"OIDC_ACME_CLIENTSECRET": "x"}, "OIDC_ACME_CLIENTSECRET is no setting"),
        ({"OIDC_ACME_CLIENT_SECRET": "changeme"}, "OIDC_ACME_CLIENT_SECRET can be guessed"),
        (
            {"OIDC_ACME_ISSUER": "http://id.example.com"},
            "OIDC_ACME_ISSUER must be an https URL without a query, as the provider calls itself",
        ),
        (
            {"OIDC_ACME_ISSUER": "https://id.example.com/?realm=acme"},
            "OIDC_ACME_ISSUER must be an https URL without a query, as the provider calls itself",
        ),
        (
            {"OIDC_ACME_SCOPES": "profile email"},
            "OIDC_ACME_SCOPES must be words with blanks between them, openid among them",
        ),
        (
            {"OIDC_ACME_BEARER": "true"},
            "OIDC_ACME_BEARER needs the AUDIENCE too: tokens for others are not for us",
        ),
        (
            {"OIDC_ACME_AUDIENCE": "genai"},
            (
                "OIDC_ACME_AUDIENCE must not be the CLIENT_ID: that is the audience of ID tokens,"
                " which open nothing"
            ),
        ),
        (
            {"OIDC_ACME_UNSCOPED": "chat write"},
            (
                "OIDC_ACME_UNSCOPED must be some of chat, read, agents and admin, with blanks"
                " between, or none"
            ),
        ),
        (
            {"SIGN_IN_PAGES": "https://chat.example.com/#signed-in"},
            (
                "SIGN_IN_PAGES must be addresses like https://chat.example.com/signed-in, without"
                " #, with commas between them or as a JSON list"
            ),
        ),
        (
            {"OIDC_PASSWORD_ISSUER": "https://a.example", "OIDC_PASSWORD_CLIENT_ID": "x"},
            (
                "OIDC_PASSWORD_… has no name for the provider: at most 32 capital letters, digits"
                " and _, a letter first, not PASSWORD or TOKEN"
            ),
        ),
        (
            {"OIDC_LAB_ISSUER": ACME["OIDC_ACME_ISSUER"], "OIDC_LAB_CLIENT_ID": "x"},
            "OIDC_LAB_ISSUER is another provider's too",
        ),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is missing: providers send people back to it"),
        ({"PASSWORD_LOGIN": "never"}, "PASSWORD_LOGIN must be true or false"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(variables: dict[str, str], told: str) -> None:
    assert refusal(**variables) == told


def test_scopes_are_those_of_keys() -> None:
    assert frozenset(Scope) == OUR_SCOPES
    assert [each.unscoped for each in read(OIDC_ACME_UNSCOPED="none").oidc] == [()]
    assert [each.unscoped for each in read(OIDC_ACME_UNSCOPED="read chat").oidc] == [
        ("read", "chat")
    ]


def test_somebody_must_be_able_to_sign_in() -> None:
    with pytest.raises(SettingsError, match=r"^PASSWORD_LOGIN is false, and no OIDC_<NAME>_ISSUER"):
        read_settings({**GOOD, "PASSWORD_LOGIN": "false"}, GatewaySettings)
