"""Calls whose streams break, are cancelled or gone on with, at whichever gateway."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.mcpserver.calls import LOST, USED
from gateway.mcpserver.listening import CHANGED
from gateway.requests.cancellation import CANCELLED
from gateway.streams.asking import TOO_MANY_REQUESTS
from gateway.streams.sse import RESTARTING
from tests.agent_bridge.stored import execute
from tests.gateway.bounded import own_master, own_user, statuses, until_statuses
from tests.gateway.mcpserver.installation import (
    MOST_OPEN,
    MOST_STREAMS,
    ORIGIN,
    PUBLIC_URL,
    dictation,
    own_system,
    say_at_once,
)
from tests.master import Invocation, Master, answer
from tests.mcpserver import (
    BOTH,
    PATH,
    SESSIONS,
    modern,
    new_session,
    opening,
    post,
    request,
    streaming,
)
from tests.parts import Dictation
from tests.system import System
from tests.users import Json, User, connect_to, eventually, register_user

__all__ = ["dictation", "own_master", "own_system", "own_user"]  # fixtures

CANCEL = "notifications/cancelled"


@pytest.fixture
def session() -> Json:
    """The headers of a client with a session."""
    return {"mcp_protocol_version": SESSIONS, "mcp_session_id": new_session()}


@pytest.fixture
async def elsewhere(own_system: System, own_user: User) -> AsyncIterator[User]:
    """The same user at the other gateway."""
    async with at_gateway(own_system.gateways[1], own_user) as user:
        yield user


@asynccontextmanager
async def at_gateway(url: str, user: User) -> AsyncIterator[User]:
    async with connect_to(url, Authorization=f"Bearer {user.token}") as http:
        yield User(http, user.id, user.name, user.token)


def ask(message: str = "wait", id_: Any = 1, token: Any = "t") -> Json:
    params = {"name": "ask", "arguments": {"message": message}}
    return request("tools/call", id_, **params, _meta={"progressToken": token})


def cancel(id_: Any) -> Json:
    return {"jsonrpc": "2.0", "method": CANCEL, "params": {"requestId": id_, "reason": "late"}}


async def test_a_cancellation_at_another_gateway_ends_the_call(
    own_system: System, own_user: User, elsewhere: User, dictation: Dictation, session: Json
) -> None:
    async with streaming(own_user, ask(id_="a"), **session) as events:
        await anext(events)
        await dictation.invocations.get()
        assert (await post(elsewhere, cancel("a"), **session)).status_code == 202
        [last] = [event["data"] async for event in events]
    assert last == {
        "jsonrpc": "2.0",
        "id": "a",
        "error": {"code": -32800, "message": CANCELLED},
    }
    await until_statuses(own_system, own_user, "cancelled")


async def test_only_the_request_that_is_meant_is_cancelled(
    own_system: System, own_user: User, dictation: Dictation, session: Json
) -> None:
    others: list[Json] = [
        cancel("1"),  # another type
        cancel(2),
        cancel(None),
        cancel({}),
        {"jsonrpc": "2.0", "method": CANCEL},
    ]
    async with streaming(own_user, ask(id_=1), **session) as events:
        await anext(events)
        await dictation.invocations.get()
        for other in others:
            assert (await post(own_user, other, **session)).status_code == 202
        for headers in (
            {"mcp_session_id": new_session()},
            {},
            {"mcp_protocol_version": "2026-07-28", "mcp_method": CANCEL},
        ):
            assert (await post(own_user, cancel(1), **headers)).status_code == 202
        async with register_user(own_system.gateway) as stranger:
            assert (await post(stranger, cancel(1), **session)).status_code == 202
        dictation.end()
        assert [event["data"]["result"]["isError"] async for event in events] == [False]
    assert statuses(own_system, own_user) == ["answered"]


async def test_who_comes_back_to_another_gateway_is_told_the_rest(
    own_system: System, own_user: User, elsewhere: User, own_master: Master, session: Json
) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Json:
        await invocation.log("one")
        await released.wait()
        await invocation.log("two")
        return answer("done")

    own_master.behave = behave
    async with streaming(own_user, ask(id_=5), **session) as events:
        primed = await anext(events)
        assert (primed["data"], primed["retry"]) == (None, "1000")
        one = await anext(events)
        assert one["data"]["params"] == {"progressToken": "t", "progress": 1, "message": "one"}
    released.set()
    async with streaming(elsewhere, None, **session, last_event_id=one["id"]) as events:
        two, last = [event async for event in events]
    assert two["data"]["params"] == {"progressToken": "t", "progress": 2, "message": "two"}
    assert last["data"]["id"] == 5
    assert last["data"]["result"]["structuredContent"]["answer"] == "done"
    assert "id" not in last
    async with streaming(elsewhere, None, **session, last_event_id=primed["id"]) as events:
        again = [event["data"] async for event in events]
    assert [each.get("method", "result") for each in again] == [
        "notifications/progress",
        "notifications/progress",
        "result",
    ]
    assert statuses(own_system, own_user) == ["answered"]
    async with register_user(own_system.gateway) as stranger:
        refused = await stranger.http.get(
            PATH, headers={"accept": "text/event-stream", "last-event-id": primed["id"]}
        )
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, LOST)


async def test_a_broken_stream_of_the_newest_revision_cancels_and_no_other_does(
    own_system: System, own_user: User, dictation: Dictation, session: Json
) -> None:
    async with streaming(own_user, ask(), **session):
        await dictation.invocations.get()
    message, headers = modern(
        "tools/call", name="ask", arguments={"message": "wait"}, _meta={"progressToken": 0}
    )
    async with streaming(own_user, message, **headers):
        await dictation.invocations.get()
    await until_statuses(own_system, own_user, "running", "cancelled")
    dictation.end()
    await until_statuses(own_system, own_user, "answered", "cancelled")


async def test_an_id_is_used_once_in_a_session_and_a_chat(
    own_user: User, own_master: Master, session: Json
) -> None:
    own_master.behave = say_at_once
    name = f"chat of {own_user.id}"
    message = request("tools/call", 1, name="ask", arguments={"message": "x", "session_id": name})
    first = await post(own_user, message, **session)
    assert "at once" in first.text
    again = await post(own_user, message, **session)
    assert again.json()["error"] == {"code": -32600, "message": USED}
    other = await post(own_user, message, **{**session, "mcp_session_id": new_session()})
    assert "at once" in other.text
    assert len(own_master.invocations) == 2


async def test_a_gateway_that_goes_down_leaves_what_is_gone_on_with_elsewhere(
    own_system: System, own_user: User, dictation: Dictation, session: Json
) -> None:
    leaving = own_system.start_gateway(DRAIN_GRACE="0", DRAIN_TIMEOUT="1")
    url = own_system.gateways.pop()
    message, headers = modern("tools/call", name="ask", arguments={"message": "wait"})
    async with at_gateway(url, own_user) as there, streaming(there, None, **session) as listened:
        await anext(listened)
        async with (
            streaming(there, ask(), **session) as events,
            streaming(there, message, **headers) as cancelled,
        ):
            primed = await anext(events)
            await dictation.invocations.get()
            await dictation.invocations.get()
            leaving.process.send_signal(signal.SIGTERM)
            assert [event async for event in listened] == []
            assert [event async for event in events] == []
            [last] = [event["data"] async for event in cancelled]
    assert last["error"] == {"code": -32603, "message": RESTARTING}
    await until_statuses(own_system, own_user, "running", "cancelled")
    dictation.end()
    async with streaming(own_user, None, **session, last_event_id=primed["id"]) as events:
        assert [event["data"]["id"] async for event in events] == [1]


async def test_a_gateway_that_goes_down_ends_what_its_client_could_not_come_back_to(
    own_system: System, own_user: User, dictation: Dictation
) -> None:
    leaving = own_system.start_gateway(DRAIN_GRACE="0", DRAIN_TIMEOUT="1")
    older = {"mcp_protocol_version": "2025-06-18", "mcp_session_id": new_session()}
    url = own_system.gateways.pop()
    async with (
        at_gateway(url, own_user) as there,
        streaming(there, ask(token=None), **older) as events,
    ):
        await dictation.invocations.get()
        leaving.process.send_signal(signal.SIGTERM)
        [last] = [event["data"] async for event in events]
    assert last["error"] == {"code": -32603, "message": RESTARTING}
    await until_statuses(own_system, own_user, "cancelled")


async def test_who_comes_back_is_told_of_changes_since(
    own_system: System, own_user: User, elsewhere: User, session: Json
) -> None:
    async with streaming(own_user, None, **session) as events:
        primed = await anext(events)
    async with streaming(elsewhere, None, **session, last_event_id=primed["id"]) as events:
        assert (await anext(events))["data"] is None
    execute(
        own_system,
        """
        INSERT INTO agents (id, alias, name, description, jwt, creator_id, input_parameters,
            is_active)
        VALUES (gen_random_uuid(), %s, '', '', gen_random_uuid(), %s, '{}', true)
        """,
        f"agent of {own_user.id}",
        own_user.id,
    )
    async with streaming(elsewhere, None, **session, last_event_id=primed["id"]) as events:
        changed = await anext(events)
    assert changed["data"] == {"jsonrpc": "2.0", "method": CHANGED, "params": {}}
    assert changed["id"] != primed["id"]


async def test_streams_and_open_requests_of_a_user_are_bounded(
    own_system: System, own_user: User, dictation: Dictation, session: Json
) -> None:
    async with streaming(own_user, None), streaming(own_user, None), streaming(own_user, None):
        refused = await post(own_user, ask(id_=9), **session)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["id"] == 9
        assert MOST_STREAMS == 3

    answered: list[tuple[bytes, int]] = []

    async def is_let_in() -> bool:  # the gateway has seen that streams before it were left
        async with opening(own_user, ask(), **session) as opened:
            is_open: bool = opened.headers["content-type"].startswith("text/event-stream")
            if is_open:
                await dictation.invocations.get()
            else:
                answered.append((await opened.aread(), opened.status_code))
            return is_open

    async def is_refused() -> bool:
        assert not await is_let_in()
        return answered[-1][1] != 429

    for _ in range(MOST_OPEN):
        await eventually(is_let_in, "there is room for one more stream")
    await eventually(is_refused, "there is room for a stream, and none for a request")
    assert json.loads(answered[-1][0])["result"] == {
        "content": [{"type": "text", "text": TOO_MANY_REQUESTS}],
        "isError": True,
    }
    for _ in range(MOST_OPEN):
        dictation.end()
    await until_statuses(own_system, own_user, *["answered"] * MOST_OPEN)


async def test_older_clients_are_told_no_event_without_data(
    own_user: User, own_master: Master
) -> None:
    own_master.behave = say_at_once
    for version in ("2024-11-05", "2025-03-26", "2025-06-18", None):
        headers = {} if version is None else {"mcp_protocol_version": version}
        async with streaming(own_user, ask(), **headers) as events:
            [only] = [event async for event in events]
        assert only["data"]["result"]["content"][0]["text"] == "at once"


async def test_clients_without_a_token_are_shown_to_the_metadata(own_user: User) -> None:
    async with connect_to(str(own_user.http.base_url)) as http:
        answered = await http.post(PATH, json=request("ping"), headers=BOTH)
        assert answered.status_code == 401
        address = f"{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"
        assert answered.headers["www-authenticate"] == f'Bearer resource_metadata="{address}"'
        for path in (address.removeprefix(PUBLIC_URL), "/.well-known/oauth-protected-resource"):
            assert (await http.get(path)).json() == {
                "resource": f"{PUBLIC_URL}/mcp",
                "resource_name": "GenAI back-end",
                "bearer_methods_supported": ["header"],
            }


async def test_pages_of_other_origins_and_under_other_names_are_not_served(
    own_user: User,
) -> None:
    for headers, status in (
        ({"origin": ORIGIN}, 200),
        ({"origin": "https://agents.example"}, 200),
        ({"origin": str(own_user.http.base_url).rstrip("/")}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "agents.example"}, 200),
        ({"host": "localhost:1"}, 200),
        ({"host": "[::1]"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example", "origin": "http://evil.example"}, 403),
        ({"host": "["}, 403),
    ):
        assert (await post(own_user, request("ping"), **headers)).status_code == status, headers
        listened = {"accept": "text/html", **headers}
        found = await own_user.http.get(PATH, headers=listened)
        assert found.status_code == (406 if status == 200 else 403)
