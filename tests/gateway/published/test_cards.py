"""Cards of what is published: what everybody is told, and what it is signed with."""

import json
from base64 import urlsafe_b64decode
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.types import AgentCard
from a2a.utils.signing import InvalidSignaturesError, create_signature_verifier
from google.protobuf.json_format import ParseDict
from joserfc import jws
from joserfc.jwk import KeySet

from gateway.published.signing import CardSigner
from tests.gateway.published.test_publications import config_of, publish
from tests.gateway.shapes import good
from tests.users import Json, User

KEYS = "/a2a/jwks.json"


@pytest.fixture
async def card(user: User, visitor: httpx2.AsyncClient) -> Json:
    """Of an agent whose description is no ASCII."""
    agent = await user.register_agent("Clock", "каже час 🕰")
    made = good(await publish(user, "agent", agent["id"]))
    found: Json = good(await visitor.get(made["card_url"]))
    return found


async def keys_of(visitor: httpx2.AsyncClient) -> dict[str, Json]:
    return {each["kid"]: each for each in good(await visitor.get(KEYS))["keys"]}


async def test_a_card_says_what_the_agent_is_and_how_it_is_called(
    user: User, visitor: httpx2.AsyncClient
) -> None:
    agent = await user.register_agent("Clock", "tells the time")
    made = good(await publish(user, "agent", agent["id"]))
    answered = await visitor.get(made["card_url"])
    assert answered.headers["content-type"] == "application/json"
    card = good(answered)
    parsed = ParseDict(card, AgentCard(), ignore_unknown_fields=True)
    assert (parsed.name, parsed.description) == ("clock", "tells the time")
    interfaces = parsed.supported_interfaces
    assert [(each.protocol_binding, each.protocol_version) for each in interfaces] == [
        ("JSONRPC", "1.0"),
        ("HTTP+JSON", "1.0"),
        ("JSONRPC", "0.3"),
        ("HTTP+JSON", "0.3"),
    ]
    assert {each.url for each in interfaces} == {made["url"]}
    [skill] = parsed.skills
    assert (skill.id, skill.tags) == (made["alias"], ["agent"])
    assert card["capabilities"] == {"streaming": True, "pushNotifications": False}
    assert parsed.security_schemes["bearer"].http_auth_security_scheme.scheme == "bearer"


async def test_the_card_is_what_the_package_makes_of_it_for_both_generations(card: Json) -> None:
    """Nothing of either is missing, nothing is there that neither knows."""
    del card["signatures"]
    parsed = ParseDict(card, AgentCard(), ignore_unknown_fields=True)
    assert agent_card_to_dict(parsed) == card
    assert parse_agent_card(json.loads(json.dumps(card))) == parsed


async def test_the_card_of_the_master_agent_tells_nothing_of_the_config(
    user: User, visitor: httpx2.AsyncClient
) -> None:
    config = await config_of(user)
    alias = f"assistant-{uuid4().hex}"
    made = good(await publish(user, "config", config["id"], alias=alias))
    card = good(await visitor.get(made["card_url"]))
    assert (card["name"], card["skills"][0]["tags"]) == (alias, ["assistant"])
    assert config["id"] not in json.dumps(card)


async def test_the_package_verifies_the_card(card: Json, visitor: httpx2.AsyncClient) -> None:
    keys = await keys_of(visitor)
    asked: list[tuple[str | None, str | None]] = []

    def provide(kid: str | None, url: str | None) -> Any:
        asked.append((kid, url))
        return jwt.PyJWK(keys[str(kid)])

    verify = create_signature_verifier(provide, ["ES256"])
    parsed = parse_agent_card(card)
    verify(parsed)
    assert str(asked[0][1]).endswith(KEYS)
    parsed.name = "another"
    with pytest.raises(InvalidSignaturesError):
        verify(parsed)


async def test_the_card_as_it_came_is_signed_too(card: Json, visitor: httpx2.AsyncClient) -> None:
    keys = KeySet.import_key_set({"keys": [*(await keys_of(visitor)).values()]})
    *_, signature = card.pop("signatures")
    payload = json.dumps(card, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    header = json.loads(urlsafe_b64decode(signature["protected"] + "=="))
    assert header.keys() == {"alg", "typ", "kid", "jku"}
    text = f"{signature['protected']}..{signature['signature']}"
    assert jws.deserialize_compact(text, keys, ["ES256"], payload=payload)


async def test_a_card_that_is_the_same_is_not_sent_again(
    card: Json, visitor: httpx2.AsyncClient
) -> None:
    url = f"{card['url']}/.well-known/agent-card.json"
    first = await visitor.get(url)
    assert first.headers["cache-control"] == "public, max-age=60"
    same = await visitor.get(url, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]


async def test_what_is_not_published_has_no_card(visitor: httpx2.AsyncClient) -> None:
    answered = await visitor.get("/a2a/nobody/.well-known/agent-card.json")
    assert answered.status_code == 404
    assert answered.json() == {
        "error": {
            "code": 404,
            "status": "NOT_FOUND",
            "message": "Nothing is published as 'nobody'",
            "details": [],
        }
    }


def test_keys_follow_from_the_encryption_keys_and_the_newest_signs() -> None:
    old, new = b"1" * 32, b"2" * 32
    before, after = CardSigner([old]).public_keys, CardSigner([new, old]).public_keys
    assert after["keys"][1:] == before["keys"]
    assert after["keys"][0] != before["keys"][0]
    for key in after["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
