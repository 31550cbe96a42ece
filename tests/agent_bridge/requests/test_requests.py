"""A request's endings: whatever the master agent does, its sender is told once."""

import asyncio
import json
from itertools import pairwise
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import (
    abandoned,
    messages_of,
    unanswered,
    until_invoked,
    wait_for_ever,
)
from tests.agent_bridge.stored import (
    insert_left_request,
    leave_request_waiting_too_long,
    select,
    select_requests,
)
from tests.master import AgentError, Invocation, Master, answer, run_master
from tests.system import System
from tests.users import Chat, Json, User, eventually

AT_ONCE = 2.0  # seconds


def assert_failed(frame: Json) -> str:
    """The frame is one of a request that failed; returns the reason."""
    response = frame["response"]
    reason: str = frame["error"]
    assert response["is_success"] is False
    assert response["response"] == {"agents_trace": [], "response": reason, "is_success": False}
    return reason


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


async def _ask_for(value: Any, master: Master, chat: Chat) -> Json:
    async def behave(_invocation: Invocation) -> Any:
        return value

    master.behave = behave
    return await chat.ask("hello")


async def _last_stored(user: User, session_id: str) -> Any:
    return json.loads((await user.history(session_id))[-1]["content"])


async def test_integers_arrive_as_they_were(user: User, master: Master) -> None:
    given = {**answer("large"), "agents_trace": [{"output": {"id": 2**80}}], "more": -(2**70)}
    async with user.chat() as chat:
        told = (await _ask_for(given, master, chat))["response"]["response"]
        stored = await _last_stored(user, chat.session_id)
    async with user.chat(chat.session_id, after=0) as again:
        replayed = (await again.receive_answer())["response"]["response"]
    assert told == stored == replayed == given


@pytest.mark.parametrize(("word", "is_success"), [("false", False), ("Yes", True), ("?", False)])
async def test_a_failure_is_not_shown_as_a_success(
    user: User, master: Master, word: str, is_success: bool
) -> None:
    async with user.chat() as chat:
        frame = await _ask_for({**answer("text"), "is_success": word}, master, chat)
    assert frame["response"]["response"]["is_success"] is is_success
    assert ("warning" in frame["response"]["response"]) is (word == "?")


async def test_without_a_master_agent_the_sender_is_told_at_once(user: User) -> None:
    began = monotonic()
    async with user.chat() as chat:
        reason = assert_failed(await chat.ask("anyone there?"))
    assert "master agent is not connected" in reason
    assert monotonic() - began < AT_ONCE


async def test_an_error_of_the_master_agent_is_the_reason(user: User, master: Master) -> None:
    async def behave(_invocation: Invocation) -> Any:
        raise AgentError("the model is overloaded")

    master.behave = behave
    async with user.chat() as chat:
        assert assert_failed(await chat.ask("hello")) == "the model is overloaded"
        assert await _last_stored(user, chat.session_id) == {
            "agents_trace": [],
            "response": "the model is overloaded",
            "is_success": False,
        }


@pytest.mark.parametrize("text", ["", "\x00", "x" * 100_000, "ä😀"])
async def test_an_error_of_any_text_is_told(text: str, user: User, master: Master) -> None:
    async def behave(_invocation: Invocation) -> Any:
        raise AgentError(text)

    master.behave = behave
    async with user.chat() as chat:
        assert assert_failed(await chat.ask("hello"))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("plain", "plain"),
        ([1, "a"], '[1,"a"]'),
        ([], "[]"),
        (5, "5"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
        ({"result": "x"}, '{"result":"x"}'),
    ],
)
async def test_an_answer_without_the_form_is_brought_into_it(
    given: Any, text: str, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        frame = await _ask_for(given, master, chat)
        assert frame["response"]["response"] == answer(text)
        assert frame["response"]["is_success"] is True
        assert await _last_stored(user, chat.session_id) == answer(text)


@pytest.mark.parametrize(
    "given",
    [
        {"response": "x"},
        {"response": {"a": 1}, "agents_trace": None, "is_success": "yes"},
        {"response": None, "agents_trace": "none", "is_success": None},
        {"response": 5, "agents_trace": {}, "is_success": 1},
    ],
)
async def test_an_answer_of_half_a_form_gets_the_types_that_front_ends_draw(
    given: Any, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        response = (await _ask_for(given, master, chat))["response"]["response"]
    assert isinstance(response["agents_trace"], list)
    assert isinstance(response["response"], str)
    assert isinstance(response["is_success"], bool)


async def test_an_answer_of_the_form_stays_as_it_came(user: User, master: Master) -> None:
    given = {
        "agents_trace": [{"name": "a", "output": {"x": [None, 1.5, "ä😀"]}}],
        "response": "done",
        "is_success": True,
        "more": {"kept": True},
    }
    async with user.chat() as chat:
        assert (await _ask_for(given, master, chat))["response"]["response"] == given


async def test_an_answer_of_5_mib_arrives_whole(user: User, master: Master) -> None:
    given = answer("ä" * (5 * 1024 * 1024 // 2))
    async with user.chat() as chat:
        assert (await _ask_for(given, master, chat))["response"]["response"] == given
        assert await _last_stored(user, chat.session_id) == given


async def test_a_nul_in_the_answer_is_no_failure(user: User, master: Master) -> None:
    async with user.chat() as chat:
        frame = await _ask_for(answer("a\x00b"), master, chat)
        assert frame["response"]["is_success"] is True
        assert await _last_stored(user, chat.session_id) == frame["response"]["response"]


@pytest.mark.parametrize("depth", [100, 252, 900])
async def test_a_deeply_nested_answer_ends_the_request_and_leaves_the_chat_alive(
    depth: int, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        traced = {**answer("deep"), "agents_trace": nested(depth)}
        frame = await _ask_for(traced, master, chat)
        assert frame["type"] == "agent_response"
        assert (await _ask_for(answer("next"), master, chat))["response"]["response"] == answer(
            "next"
        )
    async with user.chat(chat.session_id, after=0) as again:
        assert [(await again.receive())["seq"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("odd", ["\ud800", float("nan"), float("inf")])
async def test_an_answer_that_is_no_proper_json_ends_the_request(
    odd: Any, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        frame = await _ask_for({**answer("odd"), "odd": odd}, master, chat)
        assert frame["type"] == "agent_response"
        assert (await _ask_for(answer("next"), master, chat))["response"]["is_success"] is True


async def test_a_master_agent_that_never_answers_is_waited_for_until_the_deadline(
    system: System, hasty_user: User, master: Master
) -> None:
    master.behave = wait_for_ever
    with abandoned(master):
        async with hasty_user.chat() as chat:
            began = monotonic()
            reason = assert_failed(await chat.ask("hello"))
    assert "in time" in reason
    assert 1.0 < monotonic() - began < 4.0
    [request] = select_requests(system, chat.session_id)
    assert request["status"] == "timed_out"


async def test_an_answer_after_the_deadline_is_neither_stored_nor_shown(
    hasty_user: User, master: Master
) -> None:
    may_answer = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        if invocation.payload["message"] == "first":
            await may_answer.wait()
        return answer(invocation.payload["message"])

    master.behave = behave
    async with hasty_user.chat() as chat:
        assert_failed(await chat.ask("first"))
        may_answer.set()
        second = await chat.ask("second")
        assert second["response"]["response"] == answer("second")
        contents = [item["content"] for item in await hasty_user.history(chat.session_id)]
    assert len(contents) == 4
    assert json.loads(contents[1])["is_success"] is False
    assert json.loads(contents[3]) == answer("second")


async def test_the_next_message_of_a_session_is_answered_after_a_timeout(
    hasty_user: User, master: Master
) -> None:
    master.behave = wait_for_ever
    with abandoned(master):
        async with hasty_user.chat() as chat:
            assert_failed(await chat.ask("first"))
            assert (await _ask_for(answer("x"), master, chat))["response"]["is_success"] is True


async def test_a_master_agent_that_disconnects_in_the_middle_is_told_at_once(
    system: System, user: User
) -> None:
    async with user.chat() as chat:
        async with run_master(system.router_url) as master, unanswered(master, chat):
            pass
        left = monotonic()
        assert_failed(await chat.receive_answer())
    assert monotonic() - left < AT_ONCE


async def test_waiting_requests_of_a_session_start_in_order_one_at_a_time(
    user: User, master: Master
) -> None:
    running = 0
    most = 0

    async def behave(invocation: Invocation) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return answer(invocation.payload["message"])

    master.behave = behave
    texts = [str(number) for number in range(12)]
    async with user.chat() as chat, user.chat(chat.session_id) as other:
        for text in texts:
            await (chat if int(text) < 6 else other).send(text)
            await _until_stored(user, chat.session_id, int(text) + 1)
        answers = [await chat.receive_answer() for _ in texts]
    assert messages_of(master) == texts
    assert [frame["response"]["response"]["response"] for frame in answers] == texts
    assert most == 1


async def _until_stored(user: User, session_id: str, count: int) -> None:
    async def holds() -> bool:
        items = await user.history(session_id)
        return len([item for item in items if item["sender_type"] == "user"]) >= count

    await eventually(holds, f"{count} messages are stored")


async def test_sessions_do_not_wait_for_each_other(user: User, master: Master) -> None:
    async def behave(invocation: Invocation) -> Any:
        if invocation.payload["message"] == "slow":
            return await asyncio.Event().wait()
        return answer("quick")

    master.behave = behave
    with abandoned(master):
        async with user.chat() as slow, user.chat() as quick:
            await slow.send("slow")
            await until_invoked(master)
            assert (await quick.ask("quick"))["response"]["response"] == answer("quick")


async def test_a_request_that_was_claimed_but_never_sent_is_taken_over(
    system: System, user: User, master: Master
) -> None:
    session_id, request_id = str(uuid4()), str(uuid4())
    insert_left_request(system, user.id, session_id, request_id, was_sent=False)
    await _until_ended(system, session_id)
    [request] = select_requests(system, session_id)
    assert request["status"] == "answered"
    assert messages_of(master) == ["left"]
    assert await _last_stored(user, session_id) == answer("echo: left")


async def test_a_request_that_may_have_been_sent_is_interrupted_and_not_sent_again(
    system: System, user: User, master: Master
) -> None:
    session_id, request_id = str(uuid4()), str(uuid4())
    insert_left_request(system, user.id, session_id, request_id, was_sent=True)
    await _until_ended(system, session_id)
    [request] = select_requests(system, session_id)
    assert request["status"] == "interrupted"
    assert master.invocations == []
    assert (await _last_stored(user, session_id))["is_success"] is False


async def test_a_request_that_nobody_claimed_in_time_is_ended(
    system: System, user: User, master: Master
) -> None:
    session_id, request_id = str(uuid4()), str(uuid4())
    insert_left_request(system, user.id, session_id, request_id, was_sent=False)
    leave_request_waiting_too_long(system, request_id)
    await _until_ended(system, session_id)
    [request] = select_requests(system, session_id)
    assert request["status"] == "timed_out"
    assert master.invocations == []


async def _until_ended(system: System, session_id: str) -> None:
    async def holds() -> bool:
        return all(row["ended_at"] for row in select_requests(system, session_id))

    await eventually(holds, f"the requests of {session_id} have ended", 8)


async def test_the_answer_is_at_least_a_millisecond_later_than_its_question(
    system: System, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        for _ in range(3):
            await chat.ask("hello")
    assert len(master.invocations) == 3
    rows = select(
        system,
        "SELECT created_at FROM chatmessages WHERE conversation_id = %s ORDER BY created_at",
        chat.session_id,
    )
    times = [row["created_at"] for row in rows]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gap.total_seconds() for gap in gaps) >= 0.001
