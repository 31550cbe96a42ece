"""Requests by REST: how far they are, and cancelling them."""

import json
import re
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from gateway.requests.waiting import AFTER_ANOTHER
from tests.agent_bridge.actors import (
    abandoned,
    messages_of,
    unanswered,
    until_invoked,
    wait_for_ever,
)
from tests.end_to_end.socket.test_parts import say as say_in_parts
from tests.gateway.shapes import faults, good, refused
from tests.master import Invocation, Master, answer, echo
from tests.sql import Sql
from tests.system import System
from tests.users import Chat, Json, User, eventually

KEYS = {
    *("request_id", "session_id", "message_id", "status", "created_at", "sent_at", "ended_at"),
    *("deadline", "execution_time", "error", "usage", "claimed_at", "first_part_at"),
    *("last_part_at", "composed_at", "delivered_at", "bridge_id", "asked_id", "seq"),
}
DETAILS = {"log_entries", "error_entries", "last_logged_at", "waits_for"}
NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"
AT_ONCE = 1.0  # seconds


async def listed(user: User, session_id: str, **page: int) -> list[Json]:
    """The session's requests, newest first."""
    query: dict[str, Any] = {"session_id": session_id, **page}
    requests: list[Json] = good(await user.http.get("/api/requests", params=query))
    return requests


async def read(user: User, request_id: str) -> Json:
    """One of the user's requests."""
    request: Json = good(await user.http.get(f"/api/requests/{request_id}"))
    return request


async def cancel(user: User, request_id: str) -> Json:
    request: Json = good(await user.http.post(f"/api/requests/{request_id}/cancel"))
    return request


async def until_listed(user: User, session_id: str, count: int) -> list[Json]:
    """Wait until so many messages of the session were accepted."""

    async def holds() -> bool:
        return len(await listed(user, session_id)) >= count

    await eventually(holds, f"{count} requests")
    return await listed(user, session_id)


def assert_cancelled(frame: Json, request_id: str) -> None:
    response = frame["response"]
    assert frame["error"] == response["response"]["response"] == "The request was cancelled"
    assert (response["request_id"], response["is_success"]) == (request_id, False)


async def until_delivered(user: User, request_id: str) -> None:
    async def holds() -> bool:
        return (await read(user, request_id))["delivered_at"] is not None

    await eventually(holds, "its answer is known to be delivered")


async def test_an_answer_that_nobody_was_there_for_is_delivered_to_who_asks_for_it(
    user: User, master: Master
) -> None:
    session_id = str(uuid4())
    url = f"/api/sessions/{session_id}"
    sent = await user.http.post(f"{url}/messages", json={"message": "hello"})
    assert sent.status_code == 202, sent.text
    request_id = sent.json()["request_id"]

    async def has_ended() -> bool:
        return bool((await read(user, request_id))["status"] == "answered")

    await eventually(has_ended, "it is answered")
    assert (await read(user, request_id))["delivered_at"] is None
    async with user.chat(session_id, after=0) as chat:
        await chat.receive_answer()
    await until_delivered(user, request_id)
    first = (await read(user, request_id))["delivered_at"]
    async with user.chat(session_id, after=0) as chat:
        await chat.receive_answer()
    async with user.chat() as other:
        later = (await other.ask("later"))["response"]["request_id"]
    await until_delivered(user, later)  # stored after what was noted before it
    assert (await read(user, request_id))["delivered_at"] == first


async def test_an_answered_request_tells_its_times(user: User, master: Master) -> None:
    async with user.chat() as chat:
        response = (await chat.ask("hello"))["response"]
    await until_delivered(user, response["request_id"])
    [request] = await listed(user, chat.session_id)
    assert request.keys() == KEYS
    assert request["request_id"] == response["request_id"]
    assert (request["session_id"], request["status"]) == (chat.session_id, "answered")
    order = ["created_at", "claimed_at", "sent_at", "composed_at", "ended_at", "delivered_at"]
    assert sorted(order, key=lambda name: str(request[name])) == order
    assert request["bridge_id"] is not None
    assert (request["execution_time"], request["error"]) == (0.25, None)
    details = await read(user, response["request_id"])
    assert {name: details.pop(name) for name in DETAILS} == {
        "log_entries": 0,
        "error_entries": 0,
        "last_logged_at": None,
        "waits_for": [],
    }
    assert details == request


async def test_what_was_used_is_told_of_a_time_without_microseconds_too(
    user: User, master: Master, sql: Sql
) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("hello")
    request_id = frame["response"]["request_id"]
    used = {"model": "m", "provider": None, "input_tokens": 2, "cached_tokens": 0}
    used |= {"output_tokens": 1, "price": None}
    sql(
        """
        UPDATE requests SET usage = %s::jsonb, created_at = date_trunc('second', created_at)
        WHERE id = %s
        """,
        *(json.dumps([used]), request_id),
    )
    assert (await read(user, request_id))["usage"] == [used]
    assert [each["usage"] for each in await listed(user, chat.session_id)] == [[used]]


async def test_an_answer_in_parts_tells_when_the_first_and_the_last_came(
    user: User, master: Master
) -> None:
    master.behave = say_in_parts
    async with user.chat() as chat:
        await chat.ask("hello")
    [request] = await listed(user, chat.session_id)
    order = ["sent_at", "first_part_at", "last_part_at", "ended_at"]
    assert sorted(order, key=lambda name: str(request[name])) == order


async def test_an_open_request_tells_what_it_waits_for(user: User, master: Master) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        await chat.send("second")
        second, first = await until_listed(user, chat.session_id, 2)
        [sent] = (await read(user, first["request_id"]))["waits_for"]
        assert re.fullmatch("The master agent has had it for [0-9]+ seconds", sent)
        assert (await read(user, second["request_id"]))["waits_for"] == [AFTER_ANOTHER]
        for each in (second, first):
            await cancel(user, each["request_id"])


async def test_requests_are_listed_of_all_chats_and_by_status(user: User, master: Master) -> None:
    async with user.chat() as chat, user.chat() as other:
        ids = [
            (await each.ask("a", **how))["response"]["request_id"]
            for each, how in ((chat, {}), (other, {}), (chat, {"llm_name": "none"}))
        ]
    for query, found in (
        ({}, ids[::-1]),
        ({"status": "answered"}, ids[1::-1]),
        ({"status": "failed", "session_id": chat.session_id}, ids[2:]),
        ({"status": "open"}, []),
    ):
        requests = good(await user.http.get("/api/requests", params=query))
        assert [each["request_id"] for each in requests] == found
    answer = await user.http.get("/api/requests", params={"status": "x"})
    assert answer.status_code == 422


async def test_requests_are_listed_by_the_agent_that_was_asked_or_has_logged(
    user: User, other_user: User, master: Master, sql: Sql
) -> None:
    async with user.chat() as chat:
        ids = [(await chat.ask(text))["response"]["request_id"] for text in "abc"]
    agent_id = str(uuid4())
    sql("UPDATE requests SET asked_id = %s WHERE id = %s", agent_id, ids[0])
    sql(
        """
        INSERT INTO logs (session_id, request_id, agent_id, log_level, message, seq)
        VALUES (%s, %s, %s, 'error', 'm', 1000), (%s, %s, 'other', 'info', 'n', 1001)
        """,
        *(chat.session_id, ids[2], agent_id, chat.session_id, ids[2]),
    )
    query = {"agent_id": agent_id}
    requests = good(await user.http.get("/api/requests", params=query))
    assert [each["request_id"] for each in requests] == [ids[2], ids[0]]
    assert good(await other_user.http.get("/api/requests", params=query)) == []
    details = await read(user, ids[2])
    assert (details["log_entries"], details["error_entries"]) == (2, 1)
    where = {"request_id": ids[2], "agent_id": agent_id}
    [entry] = good(await user.http.get("/api/logs/list", params=where))
    assert entry["message"] == "m"


async def test_requests_are_listed_newest_first_and_in_pages(user: User, master: Master) -> None:
    async with user.chat() as chat:
        ids = [(await chat.ask(text))["response"]["request_id"] for text in "abc"]
    assert [each["request_id"] for each in await listed(user, chat.session_id)] == ids[::-1]
    page = await listed(user, chat.session_id, limit=1, offset=1)
    assert [each["request_id"] for each in page] == [ids[1]]


async def test_a_failed_request_tells_why(user: User) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("hello", llm_name="no such config")
    [request] = await listed(user, chat.session_id)
    assert (request["status"], request["error"]) == ("failed", frame["error"])


async def test_a_running_request_is_cancelled_at_once(user: User, master: Master) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        [running] = await listed(user, chat.session_id)
        began = monotonic()
        request = await cancel(user, running["request_id"])
        assert_cancelled(await chat.receive(), running["request_id"])
        assert monotonic() - began < AT_ONCE
    assert (running["status"], request["status"]) == ("running", "cancelled")
    assert [each["sender_type"] for each in await user.history(chat.session_id)] == [
        "user",
        "master_agent",
    ]


async def test_an_answer_after_the_cancellation_is_neither_stored_nor_shown(
    user: User, master: Master
) -> None:
    async with user.chat() as chat:
        late: list[Invocation] = []

        async def behave(invocation: Invocation) -> Any:
            if not late:
                late.append(invocation)
                await until_cancelled(user, chat)
                return answer("too late")
            return await echo(invocation)

        master.behave = behave
        await chat.send("first")
        await until_invoked(master)
        [running] = await listed(user, chat.session_id)
        await cancel(user, running["request_id"])
        assert_cancelled(await chat.receive(), running["request_id"])
        second = await chat.ask("second")
    assert second["response"]["response"]["response"] == "echo: second"
    contents = [each["content"] for each in await user.history(chat.session_id)]
    assert len(contents) == 4
    assert not any("too late" in content for content in contents)


async def until_cancelled(user: User, chat: Chat) -> None:
    async def holds() -> bool:
        return bool((await listed(user, chat.session_id))[-1]["status"] == "cancelled")

    await eventually(holds, "the first request is cancelled")


async def test_a_waiting_request_that_is_cancelled_never_starts(user: User, master: Master) -> None:
    master.behave = wait_for_ever
    async with user.chat() as chat:
        with abandoned(master):
            for text in ("first", "second", "third"):
                await chat.send(text)
            await until_invoked(master)
            third, second, first = await until_listed(user, chat.session_id, 3)
            assert [each["status"] for each in (first, second)] == ["running", "queued"]
            await cancel(user, second["request_id"])
            assert_cancelled(await chat.receive(), second["request_id"])
            master.behave = echo
            await cancel(user, first["request_id"])
            assert_cancelled(await chat.receive(), first["request_id"])
            assert (await chat.receive_answer())["response"]["request_id"] == third["request_id"]
    assert messages_of(master) == ["first", "third"]


async def test_cancelling_works_from_any_gateway(
    system: System, user: User, master: Master
) -> None:
    system.start_gateway()
    other = system.gateways.pop()
    async with user.chat() as chat, unanswered(master, chat):
        [running] = await listed(user, chat.session_id)
        url = f"{other}/api/requests/{running['request_id']}/cancel"
        assert good(await user.http.post(url))["status"] == "cancelled"
        assert_cancelled(await chat.receive(), running["request_id"])


async def test_a_request_that_has_ended_stays_as_it_is(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
    [request] = await listed(user, chat.session_id)
    assert await cancel(user, request["request_id"]) == request
    assert await listed(user, chat.session_id) == [request]


async def test_nobody_else_can_cancel_what_runs(
    user: User, other_user: User, master: Master
) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        [running] = await listed(user, chat.session_id)
        path = f"/api/requests/{running['request_id']}/cancel"
        assert "does not exist" in refused(await other_user.http.post(path))
        assert await listed(user, chat.session_id) == [running]
        await cancel(user, running["request_id"])


async def test_a_session_without_requests_has_none(reader: User) -> None:
    assert await listed(reader, NOBODYS) == []


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel")])
async def test_an_unknown_request_is_named(reader: User, method: str, path: str) -> None:
    answer = await reader.http.request(method, f"/api/requests/{NOBODYS}{path}")
    assert refused(answer) == f"Request with id '{NOBODYS}' does not exist"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel")])
async def test_an_id_is_a_uuid(reader: User, method: str, path: str) -> None:
    answer = await reader.http.request(method, f"/api/requests/x{path}")
    assert faults(answer) == [("uuid_parsing", ["path", "request_id"])]
