"""A service dies at the worst moment: what it was at is done once, or clearly fails."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from agent_bridge.requests.ending import INTERRUPTED
from devstack.processes import Child
from tests.agent_bridge.actors import messages_of
from tests.agent_bridge.stored import execute, select_logs, select_requests
from tests.end_to_end.socket.front_end import chat_at
from tests.master import Invocation, answer, echo, run_master
from tests.system import System
from tests.users import Chat, Json, User, eventually

LEFT_SECONDS = 20.0  # far more than the short lease and a sweep
NEXT = answer("echo: next")


async def _until_died(child: Child) -> None:
    async def holds() -> bool:
        return child.has_ended

    await eventually(holds, f"{child.name} has died")


async def _receive_answer(chat: Chat) -> Json:
    async with asyncio.timeout(LEFT_SECONDS):
        while (frame := json.loads(await chat.connection.recv()))["type"] != "agent_response":
            pass
    answered: Json = frame
    return answered


async def _assert_told_once(user: User, chat: Chat, told: Json) -> None:
    """The same stands in the history, once; and the session goes on where it was."""
    assert told["response"]["session_id"] == chat.session_id
    following = await chat.ask("next")
    assert following["response"]["response"] == NEXT
    assert following["seq"] == told["seq"] + 1
    items = await user.history(chat.session_id)
    assert [item["sender_type"] for item in items] == ["user", "master_agent"] * 2
    assert items[0]["content"] == "dying"
    assert json.loads(items[1]["content"]) == told["response"]["response"]
    assert items[0]["request_id"] == items[1]["request_id"] == told["response"]["request_id"]


async def _ask_a_dying_bridge(system: System, chat: Chat, point: str) -> Json:
    """Ask while the only bridge is one that dies at this point; another comes afterwards."""
    dying = system.start_bridge("short_lease", point)
    await chat.send("dying")
    await _until_died(dying)
    system.start_bridge("short_lease")
    return await _receive_answer(chat)


def _insert_flow(system: System, user: User) -> None:
    """Flows are read before a request is marked as sent: so it is marked after it was claimed."""
    sql = """
        INSERT INTO agentworkflows (id, alias, name, description, flow, creator_id, is_active)
        VALUES (gen_random_uuid(), concat('f', gen_random_uuid()), 'f', '', '[]', %s, true)
    """
    execute(system, sql, user.id)


async def test_what_a_bridge_had_only_claimed_is_answered_by_another(
    bare_stage: System, asker: User
) -> None:
    _insert_flow(bare_stage, asker)
    async with run_master(bare_stage.router_url) as master, asker.chat() as chat:
        told = await _ask_a_dying_bridge(bare_stage, chat, "die_after_claim")
        assert told["response"]["response"] == answer("echo: dying")
        await _assert_told_once(asker, chat, told)
        assert messages_of(master) == ["dying", "next"]


@pytest.mark.parametrize(
    ("point", "has_flow", "times"),
    [
        ("die_after_claim", False, 0),
        ("die_after_mark", True, 0),
        ("die_after_send", False, 1),
        ("die_after_answer", False, 1),
        ("die_before_end", False, 1),
    ],
)
async def test_what_a_bridge_may_have_sent_is_interrupted_and_never_sent_again(
    point: str,
    has_flow: bool,
    times: int,
    bare_stage: System,
    asker: User,
) -> None:
    if has_flow:
        _insert_flow(bare_stage, asker)
    async with run_master(bare_stage.router_url) as master, asker.chat() as chat:
        told = await _ask_a_dying_bridge(bare_stage, chat, point)
        assert told["error"] == INTERRUPTED
        assert told["response"]["is_success"] is False
        await _assert_told_once(asker, chat, told)
        assert messages_of(master) == [*["dying"] * times, "next"]
        interrupted, _ = select_requests(bare_stage, chat.session_id)
        assert interrupted["status"] == "interrupted"


async def test_an_answer_that_a_bridge_stored_and_did_not_tell_arrives(
    bare_stage: System, asker: User
) -> None:
    async with run_master(bare_stage.router_url) as master, asker.chat() as chat:
        told = await _ask_a_dying_bridge(bare_stage, chat, "die_after_end")
        assert told["response"]["response"] == answer("echo: dying")
        await _assert_told_once(asker, chat, told)
        assert messages_of(master) == ["dying", "next"]


async def test_log_entries_that_a_bridge_stored_and_did_not_tell_arrive(
    bare_stage: System, asker: User
) -> None:
    async def behave(invocation: Invocation) -> Any:
        if invocation.payload["message"] == "next":
            return await echo(invocation)
        await invocation.log("heard")
        return await asyncio.Event().wait()

    dying = bare_stage.start_bridge("short_lease", "die_after_logs")
    async with run_master(bare_stage.router_url, behave) as master, asker.chat() as chat:
        await chat.send("dying")
        await _until_died(dying)
        frame = await chat.receive()
        assert frame["log"]["message"] == "heard"
        assert frame["seq"] == 1
        bare_stage.start_bridge("short_lease")
        told = await _receive_answer(chat)
        assert told["seq"] == 2
        assert told["error"] == INTERRUPTED
        await _assert_told_once(asker, chat, told)
        assert len(select_logs(bare_stage, chat.session_id)) == 1
        for task in master._tasks:
            task.cancel()


async def _send_to_a_dying_gateway(system: System, user: User, point: str, frame: Json) -> str:
    """Send a message to another gateway, which dies of it; returns the session."""
    dying = system.start_gateway(point)
    socket_url = f"{system.gateways[-1].replace('http', 'ws', 1)}/frontend/ws"
    async with chat_at(socket_url, user, str(uuid4())) as chat:
        await chat.send_frame(frame)
        with pytest.raises(ConnectionClosed):
            await chat.receive()
    await _until_died(dying)
    return chat.session_id


async def test_a_message_that_a_gateway_accepted_and_told_no_bridge_is_answered(
    bare_stage: System, asker: User
) -> None:
    bare_stage.start_bridge()
    async with run_master(bare_stage.router_url) as master:
        frame = {"message": "dying"}
        session_id = await _send_to_a_dying_gateway(bare_stage, asker, "die_after_accept", frame)
        async with asker.chat(session_id, after=0) as chat:
            told = await _receive_answer(chat)
            assert told["response"]["response"] == answer("echo: dying")
            await _assert_told_once(asker, chat, told)
        assert messages_of(master) == ["dying", "next"]


@pytest.mark.parametrize("point", ["die_before_accept", "die_after_accept"])
async def test_a_message_that_is_sent_again_after_its_gateway_died_is_answered_once(
    point: str, bare_stage: System, asker: User
) -> None:
    bare_stage.start_bridge()
    frame = {"message": "dying", "message_id": str(uuid4())}
    async with run_master(bare_stage.router_url) as master:
        session_id = await _send_to_a_dying_gateway(bare_stage, asker, point, frame)
        async with asker.chat(session_id, after=0) as chat:
            await chat.send_frame(frame)
            told = await _receive_answer(chat)
            assert told["response"]["response"] == answer("echo: dying")
            async with asker.chat(session_id, after=told["seq"]) as other:
                await _assert_told_once(asker, other, told)
        assert messages_of(master) == ["dying", "next"]
