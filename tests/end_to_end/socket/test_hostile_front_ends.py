"""Front-ends that leave at once, or send what is wrong 80,000 times."""

import asyncio
from typing import Any

from tests.agent_bridge.actors import abandoned, until_invoked
from tests.agent_bridge.stored import execute, select
from tests.end_to_end.socket.front_end import receive_faults
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, User, eventually

MESSAGES = 60
BAD_IDS = '{"message": "x", "files": [' + ",".join(['""'] * 80_000) + "]}"
BOUND = 64 * 1024  # characters


async def _read_all(chat: Chat) -> None:
    """Read until the connection ends: a close waits behind frames that nobody reads."""
    async for _ in chat.connection:
        pass


async def test_what_a_client_sent_before_it_closed_is_stored_while_frames_flow_to_it(
    system: System, user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> Any:
        while invocation.payload["message"] == "first":
            await invocation.log("y" * 2000)
            await asyncio.sleep(0.001)
        return answer("ok")

    master.behave = behave
    with abandoned(master):
        async with user.chat() as chat:
            await chat.send("first")
            await until_invoked(master)
            reading = asyncio.create_task(_read_all(chat))
            for number in range(MESSAGES):
                await chat.send(f"message {number}")
        await reading

        async def all_are_stored() -> bool:
            sql = """
                SELECT content FROM chatmessages
                WHERE conversation_id = %s AND sender_type = 'user' ORDER BY created_at
            """
            stored = [row["content"] for row in select(system, sql, chat.session_id)]
            return stored == ["first", *(f"message {number}" for number in range(MESSAGES))]

        await eventually(all_are_stored, "all that was sent is stored")
    sql = "DELETE FROM chatconversations WHERE session_id = %s"
    execute(system, sql, chat.session_id)  # nobody waits for the answers


async def test_80_000_bad_file_ids_are_answered_by_a_short_text(user: User) -> None:
    async with user.chat() as chat:
        await chat.connection.send(BAD_IDS)
        assert len(await chat.receive_text()) < BOUND


async def test_80_000_bad_file_ids_are_a_bounded_number_of_faults(user: User) -> None:
    async with user.chat() as chat:
        await chat.connection.send(BAD_IDS)
        assert len(await receive_faults(chat)) <= 100


async def test_a_message_is_answered_after_80_000_bad_file_ids(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.connection.send(BAD_IDS)
        await receive_faults(chat)
        assert (await chat.ask("after"))["response"]["response"] == answer("echo: after")
