"""What a card wants to be shown by callers, in the words of every version of the protocol."""

from typing import Any

import pytest
from msgspec import UNSET

from gateway.a2a.security import MOST_WAYS, find_lacking

TOKEN = "a token, give it as `bearer_token`"
OLDER: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "bearer": {"type": "http", "scheme": "Bearer", "bearerFormat": "JWT"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {}},
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://as.example"},
    "mtls": {"type": "mutualTLS"},
    "odd": {"type": 5},
}
NEWER: dict[str, Any] = {
    "key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}},
    "query": {"apiKeySecurityScheme": {"location": "query", "name": "key"}},
    "cookie": {"apiKeySecurityScheme": {"location": "cookie", "name": "key"}},
    "bearer": {"httpAuthSecurityScheme": {"scheme": "Bearer"}},
    "basic": {"httpAuthSecurityScheme": {"scheme": "basic"}},
    "oauth": {"oauth2SecurityScheme": {}},
    "openid": {"openIdConnectSecurityScheme": {"openIdConnectUrl": "https://as.example"}},
    "mtls": {"mtlsSecurityScheme": {}},
    "odd": {},
}


def older(*ways: list[str]) -> dict[str, Any]:
    security: list[Any] = [{name: [] for name in way} for way in ways]
    return {"securitySchemes": OLDER, "security": security}


def newer(*ways: list[str]) -> dict[str, Any]:
    wanted: list[Any] = [{"schemes": {name: {"list": []} for name in way}} for way in ways]
    return {"securitySchemes": NEWER, "securityRequirements": wanted}


@pytest.fixture(params=[older, newer])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize(
    ("scheme", "clause", "header"),
    [
        ("key", "the header X-Key, give it in `headers`", "x-key"),
        ("cookie", "an API key as a cookie, give it in `headers` as Cookie", "Cookie"),
        ("bearer", TOKEN, "Authorization"),
        ("basic", "an `Authorization` of the kind basic, give it in `headers`", "authorization"),
        ("oauth", TOKEN, "Authorization"),
        ("openid", TOKEN, "Authorization"),
        ("query", "an API key elsewhere than in a header, which can't be sent", None),
        ("mtls", "a certificate of the caller, which can't be shown", None),
        ("odd", "'odd', of which its card says no more", None),
        ("unknown", "'unknown', of which its card says no more", None),
    ],
)
def test_what_is_wanted_is_lacking_until_it_is_sent(
    make: Any, scheme: str, clause: str, header: str | None
) -> None:
    card = make([scheme])
    assert find_lacking(card, ["X-Other"]) == f"It wants {clause}"
    if header is not None:
        assert find_lacking(card, ["X-Other", header]) is UNSET


def test_one_way_is_enough_and_takes_all_that_it_wants(make: Any) -> None:
    card = make(["key", "bearer"], ["query"], ["basic"])
    told = find_lacking(card, ["X-Key"])
    assert told == (
        f"It wants {TOKEN}, or an API key elsewhere than in a header, which can't be sent, or "
        "an `Authorization` of the kind basic, give it in `headers`"
    )
    assert find_lacking(card, ["X-Key", "Authorization"]) is UNSET


def test_who_wants_nothing_lacks_nothing(make: Any) -> None:
    cards: list[dict[str, Any]] = [{}, make(), make([]), make(["key"], [])]
    for card in cards:
        assert find_lacking(card, []) is UNSET


@pytest.mark.parametrize(
    "card",
    [
        {"security": "x", "securitySchemes": 5},
        {"security": [None, 5, "x"]},
        {"security": [{"schemes": ["x"]}]},
        {"securityRequirements": [{"schemes": None}]},
    ],
)
def test_what_is_not_as_it_should_be_wants_nothing(card: dict[str, Any]) -> None:
    assert find_lacking(card, []) is UNSET


def test_a_card_that_wants_very_much_is_told_in_short() -> None:
    wants: dict[str, Any] = {str(number) * 1000: [] for number in range(1000)}
    told = find_lacking({"security": [wants] * 1000}, [])
    assert told is not UNSET
    assert len(told) < 200 * MOST_WAYS
