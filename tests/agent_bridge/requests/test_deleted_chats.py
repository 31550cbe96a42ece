"""A chat that is deleted while the master agent is at it."""

import asyncio
import json

from tests.agent_bridge.actors import until_inbox_is_empty, until_invoked
from tests.agent_bridge.stored import select_logs, select_requests
from tests.master import Invocation, Master, answer, echo
from tests.system import System
from tests.users import User, eventually


async def _delete(user: User, session_id: str) -> None:
    deleted = await user.http.delete("/api/chat", params={"session_id": session_id})
    assert deleted.status_code == 204, deleted.text


async def test_a_running_request_of_a_deleted_chat_ends_quietly(
    system: System, user: User, master: Master
) -> None:
    may_answer = asyncio.Event()

    async def answer_late(_invocation: Invocation) -> object:
        await may_answer.wait()
        return answer("late")

    master.behave = answer_late
    async with user.chat() as chat:
        await chat.send("hello")
        await until_invoked(master)
        request_id = master.invocations[0].request_id
        await _delete(user, chat.session_id)
        may_answer.set()

        async def has_ended() -> bool:
            return f"{request_id} had ended already" in system.log_of("bridge 1")

        await eventually(has_ended, "the bridge let go of the request")
        assert select_requests(system, chat.session_id) == []
        assert await user.history(chat.session_id) == []
        master.behave = echo
        frame = await chat.ask("again")
    assert frame["response"]["response"] == answer("echo: again")
    complaints = [
        line
        for line in system.log_of("bridge 1").splitlines()
        if request_id in line and json.loads(line)["level"] != "info"
    ]
    assert complaints == []


async def test_a_waiting_request_of_a_deleted_chat_never_starts(user: User, master: Master) -> None:
    may_answer = asyncio.Event()

    async def answer_late(_invocation: Invocation) -> object:
        await may_answer.wait()
        return answer("late")

    master.behave = answer_late
    async with user.chat() as chat, user.chat() as other:
        await chat.send("first")
        await until_invoked(master)
        await chat.send("second")
        await other.send("witness")
        await until_invoked(master, 2)
        await _delete(user, chat.session_id)
        may_answer.set()
        await other.receive_answer()
        master.behave = echo
        await chat.ask("third")
    said = [invocation.payload["message"] for invocation in master.invocations]
    assert sorted(said) == ["first", "third", "witness"]


async def test_what_is_logged_while_a_chat_is_deleted_leaves_no_trace(
    system: System, user: User, master: Master
) -> None:
    async def log_much(invocation: Invocation) -> object:
        for number in range(100):
            await invocation.log(str(number))
        return answer("done")

    master.behave = log_much
    for _ in range(2):
        count = len(master.invocations)
        async with user.chat() as chat:
            await chat.send("hello")
            await until_invoked(master, count + 1)
            await _delete(user, chat.session_id)
            await until_inbox_is_empty(system, user)
            assert select_logs(system, chat.session_id) == []
