"""A2A agents whose cards are shown only to who sends the right headers, through the gateway."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from a2a.types import APIKeySecurityScheme, SecurityRequirement, SecurityScheme, StringList
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.gateway.mcp.test_headers import Guarded, list_active
from tests.gateway.outsiders import Outsider, answering, card_app, make_card, serving
from tests.gateway.shapes import good, refused, told
from tests.sql import Sql
from tests.system import SERVICE_KEY
from tests.users import User

PATH = "/api/a2a/agents"
KEY = "k3y-of-the-agent"
SENT = {"X-Key": KEY}
CARD = {
    "name": "Weather",
    "description": "Tells the weather.",
    "url": "http://127.0.0.1:9/rpc",
    "skills": [],
    "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "security": [{"key": []}],
}


@pytest.fixture
async def outsider() -> AsyncIterator[Outsider]:
    async with serving(Guarded(answering(CARD), {"X-Key": KEY})) as server:
        yield server


async def add(user: User, outsider: Outsider, **given: object) -> dict[str, Any]:
    body = {"server_url": f"{outsider.url}/weather", **given}
    added: dict[str, Any] = good(await user.http.post(PATH, json=body))
    return added


async def test_what_an_agent_is_sent_opens_it_and_only_names_are_shown(
    user: User, outsider: Outsider, sql: Sql
) -> None:
    refusal = await user.http.post(PATH, json={"server_url": outsider.url})
    assert "401 Unauthorized: it wants to know who asks, give it" in refused(refusal)
    added = await add(user, outsider, headers={"X-Key": KEY})
    answers = [added, *good(await user.http.get(PATH))]
    answers.append(good(await user.http.get(f"{PATH}/{added['id']}")))
    for answer in answers:
        assert answer["header_names"] == ["X-Key"]
        assert "lacking" not in answer
        assert KEY not in str(answer)
    assert KEY not in str(sql("SELECT * FROM a2acards WHERE id = %s", added["id"]))
    assert await add(user, outsider) == added  # what is stored stays


async def test_what_one_agent_is_sent_is_not_stored_for_another_of_its_host(user: User) -> None:
    async def show(_request: Request) -> JSONResponse:
        return JSONResponse(CARD)

    paths = ("/.well-known/agent-card.json", "/other/.well-known/agent-card.json")
    app = Starlette(routes=[Route(path, show) for path in paths])
    async with serving(app) as outsider:
        first = good(await user.http.post(PATH, json={"server_url": outsider.url, "headers": SENT}))
        body = {"server_url": f"{outsider.url}/other", "bearer_token": "t"}
        other = good(await user.http.post(PATH, json=body))
        again = good(await user.http.post(PATH, json={**body, "server_url": outsider.url}))
    assert first["header_names"] == ["X-Key"]
    assert other["header_names"] == ["Authorization"]
    assert (again["id"], again["header_names"]) == (first["id"], ["X-Key", "Authorization"])


async def test_what_a_card_wants_and_is_not_sent_is_told_in_the_list(user: User) -> None:
    async with serving(answering(CARD)) as outsider:
        added = await add(user, outsider)
        [listed] = good(await user.http.get(PATH))
        sentence = "It wants the header X-Key, give it in `headers`"
        assert added["lacking"] == listed["lacking"] == sentence
        body = {"headers": {"x-key": KEY}}
        changed = good(await user.http.patch(f"{PATH}/{added['id']}", json=body))
        assert "lacking" not in changed
        [listed] = good(await user.http.get(PATH))
        assert listed == changed


async def test_a_card_of_the_sdk_s_newest_version_is_understood(user: User) -> None:
    card = make_card()
    key = APIKeySecurityScheme(location="header", name="X-Key")
    card.security_schemes["key"].CopyFrom(SecurityScheme(api_key_security_scheme=key))
    card.security_requirements.append(SecurityRequirement(schemes={"key": StringList()}))
    async with serving(card_app(card)) as outsider:
        added = await add(user, outsider)
    assert added["lacking"] == "It wants the header X-Key, give it in `headers`"


async def test_the_master_agent_alone_is_told_what_to_send(user: User, outsider: Outsider) -> None:
    await add(user, outsider, headers={"X-Key": KEY})
    [shown] = await list_active(user)
    [given] = await list_active(user, SERVICE_KEY)
    assert given == {**shown, "headers": {"X-Key": KEY}}


async def test_a_change_that_the_agent_does_not_take_changes_nothing(
    user: User, other_user: User, outsider: Outsider
) -> None:
    id_ = (await add(user, outsider, headers={"X-Key": KEY}))["id"]
    answer = await user.http.patch(f"{PATH}/{id_}", json={"headers": {"X-Key": "other"}})
    assert "what it is sent to know who asks may be wrong or expired" in refused(answer)
    await add(user, outsider)
    answer = await other_user.http.patch(f"{PATH}/{id_}", json={"headers": {"X-Key": KEY}})
    assert id_ in refused(answer)


async def test_bad_headers_are_one_sentence(reader: User) -> None:
    body = {"server_url": "http://127.0.0.1:9/", "headers": {"A2A-Version": "1"}}
    told(await reader.http.post(PATH, json=body), "A2A-Version")
