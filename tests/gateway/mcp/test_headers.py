"""MCP servers that let in only who sends the right headers, through the real gateway."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define, field
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.gateway.outsiders import Outsider, make_mcp, running, serving
from tests.gateway.shapes import good, refused, told
from tests.sql import Sql
from tests.system import SERVICE_KEY, System
from tests.users import User

PATH = "/api/mcp/servers"
TOKEN = "t0ken-of-the-server"
KEY = "k3y-of-the-server"


@define
class Guarded:
    """Lets in who sends these headers."""

    inner: ASGIApp
    wanted: dict[str, str]
    refused: list[str] = field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse."""
        headers = Request(scope).headers
        if all(headers.get(name) == value for name, value in self.wanted.items()):
            await self.inner(scope, receive, send)
        else:
            self.refused.append(scope["method"])
            await PlainTextResponse("no", 401)(scope, receive, send)


@pytest.fixture
async def outsider() -> AsyncIterator[Outsider]:
    async with running(make_mcp("echo")) as [app]:
        wanted = {"Authorization": f"Bearer {TOKEN}", "X-Key": KEY}
        async with serving(Guarded(app, wanted)) as server:
            yield server


def guard(outsider: Outsider) -> Guarded:
    assert isinstance(outsider.app, Guarded)
    return outsider.app


async def add(user: User, outsider: Outsider, **given: object) -> dict[str, Any]:
    body = {"server_url": f"{outsider.url}/mcp", **given}
    added: dict[str, Any] = good(await user.http.post(PATH, json=body))
    return added


async def list_active(user: User, key: str | None = None) -> list[dict[str, Any]]:
    """What may be called, as the user sees it, or a service by its key."""
    url = user.http.base_url.join("/api/agents/active")
    request = user.http.build_request("GET", url, params={"user_id": user.id} if key else {})
    if key:
        del request.headers["Authorization"]
        request.headers["x-api-key"] = key
    connections: list[dict[str, Any]] = good(await user.http.send(request))["active_connections"]
    return connections


async def test_what_a_server_is_sent_opens_it_and_only_names_are_shown(
    user: User, outsider: Outsider, sql: Sql, system: System
) -> None:
    added = await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY})
    answers = [added, *good(await user.http.get(PATH))]
    answers.append(good(await user.http.get(f"{PATH}/{added['id']}")))
    for answer in answers:
        assert sorted(answer["header_names"]) == ["Authorization", "X-Key"]
        assert TOKEN not in str(answer)
        assert KEY not in str(answer)
    assert guard(outsider).refused == []
    stored = str(sql("SELECT * FROM mcpservers WHERE id = %s", added["id"]))
    for secret in (TOKEN, KEY):
        assert secret not in stored
        assert secret not in system.log_of("gateway 1")


async def test_who_is_sent_nothing_has_no_names(user: User) -> None:
    async with running(make_mcp("echo")) as [app], serving(app) as outsider:
        assert "header_names" not in await add(user, outsider)


async def test_a_url_that_is_given_again_keeps_its_headers(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY})
    assert await add(user, outsider) == added
    guard(outsider).wanted.pop("X-Key")
    again = await add(user, outsider, bearer_token=TOKEN, headers={})
    assert again["header_names"] == ["Authorization"]


async def test_headers_are_changed_one_by_one(user: User, outsider: Outsider) -> None:
    id_ = (await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY}))["id"]
    guard(outsider).wanted["X-Key"] = "new"
    changed = good(await user.http.patch(f"{PATH}/{id_}", json={"headers": {"x-key": "new"}}))
    assert sorted(changed["header_names"]) == ["Authorization", "x-key"]
    guard(outsider).wanted.pop("Authorization")
    changed = good(await user.http.patch(f"{PATH}/{id_}", json={"bearer_token": None}))
    assert changed["header_names"] == ["x-key"]
    guard(outsider).wanted.clear()
    changed = good(await user.http.patch(f"{PATH}/{id_}", json={"headers": {"X-KEY": None}}))
    assert "header_names" not in changed


async def test_a_change_that_the_server_does_not_take_changes_nothing(
    user: User, outsider: Outsider
) -> None:
    id_ = (await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY}))["id"]
    answer = await user.http.patch(f"{PATH}/{id_}", json={"bearer_token": "another"})
    assert "401" in refused(answer)
    assert "another" not in answer.text
    await add(user, outsider)


async def test_nobody_changes_another_s_server(
    user: User, other_user: User, outsider: Outsider
) -> None:
    id_ = (await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY}))["id"]
    answer = await other_user.http.patch(f"{PATH}/{id_}", json={"bearer_token": TOKEN})
    assert id_ in refused(answer)


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Host": KEY}},
        {"headers": {"X-Key": f"{KEY}\r\nHost: h"}},
        {"headers": {"X-Key": None}},
        {"headers": [KEY]},
        {"headers": None},
        {"bearer_token": f"Bearer {TOKEN}"},
        {"bearer_token": ""},
        {"bearer_token": 5},
        {"bearer_token": None},
    ],
)
async def test_bad_headers_are_one_sentence_without_their_values(
    reader: User, given: dict[str, object]
) -> None:
    answer = await reader.http.post(PATH, json={"server_url": "http://127.0.0.1:9/", **given})
    sentence = told(answer, next(iter(given)))
    assert KEY not in sentence
    assert TOKEN not in sentence


async def test_the_master_agent_alone_is_told_what_to_send(
    user: User, outsider: Outsider, sql: Sql
) -> None:
    await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY})
    [shown] = await list_active(user)
    assert "headers" not in shown
    [given] = await list_active(user, SERVICE_KEY)
    assert given == {**shown, "headers": {"Authorization": f"Bearer {TOKEN}", "X-Key": KEY}}
    agent = await user.register_agent()
    asked = {"Authorization": f"Bearer {agent['jwt']}"}
    answer = good(await user.http.get("/api/agents/active", headers=asked))
    assert answer["active_connections"] == [shown]
    # A ciphertext of another place is none.
    moved = "json_build_object('X-Other', headers -> 'X-Key')"
    sql(f"UPDATE mcpservers SET headers = {moved} WHERE creator_id = %s", user.id)  # noqa: S608
    assert await list_active(user, SERVICE_KEY) == [shown]


async def test_other_owners_of_a_url_do_not_come_in_by_another_s_headers(
    user: User, other_user: User, outsider: Outsider
) -> None:
    await add(user, outsider, bearer_token=TOKEN, headers={"X-Key": KEY})
    answer = await other_user.http.post(PATH, json={"server_url": f"{outsider.url}/mcp"})
    assert "401" in refused(answer)
