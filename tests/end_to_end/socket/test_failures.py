"""A message that fails: exactly one frame that says why, and the same in the history."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.stored import execute
from tests.end_to_end.socket.front_end import RESPONSE_KEYS
from tests.master import AgentError, Invocation, Master, answer
from tests.system import System
from tests.users import Chat, Json, User


async def _ask_in_vain(user: User, chat: Chat, **message: Any) -> str:
    """Send a message that fails; returns the reason once all was checked."""
    frame = await chat.ask("in vain", **message)
    reason: str = frame["error"]
    assert frame.keys() == {"type", "response", "seq", "error"}
    response: Json = frame["response"]
    assert response.keys() == RESPONSE_KEYS
    assert response["is_success"] is False
    assert response["response"] == {"agents_trace": [], "response": reason, "is_success": False}
    assert isinstance(response["execution_time"], int | float)
    assert response["session_id"] == chat.session_id
    question, stored = (await user.history(chat.session_id))[-2:]
    assert question["content"] == "in vain"
    assert stored["sender_type"] == "master_agent"
    assert json.loads(stored["content"]) == response["response"]
    assert stored["request_id"] == question["request_id"] == response["request_id"]
    return reason


async def _assert_the_next_is_answered(chat: Chat, seq: int = 2) -> None:
    frame = await chat.ask("next")
    assert frame["response"]["response"] == answer("echo: next")
    assert frame["seq"] == seq  # so the failure had exactly one frame


async def test_an_unknown_config_is_told(user: User, master: Master) -> None:
    async with user.chat() as chat:
        assert await _ask_in_vain(user, chat, llm_name="nope") == "Config nope does not exist"
        assert master.invocations == []
        await _assert_the_next_is_answered(chat)


async def test_an_unknown_provider_is_told(user: User, master: Master) -> None:
    async with user.chat() as chat:
        reason = await _ask_in_vain(user, chat, llm_name="config", provider="nope")
        assert reason == "Provider nope does not exist"
        assert master.invocations == []
        await _assert_the_next_is_answered(chat)


async def test_a_config_of_another_provider_is_told(user: User, master: Master) -> None:
    await user.create_config("other")
    async with user.chat() as chat:
        message = {"llm_name": "config", "provider": "provider of other"}
        assert "config" in await _ask_in_vain(user, chat, **message)
        assert master.invocations == []


@pytest.mark.parametrize(
    "stored",
    [
        "x",
        "x.y",
        "sk-plain",
        "t2h4NJ0Vhg==*hkRzjabrIMRFQ9Tnjj1qUQ==*NtIV07PLBiUEGjexU+tMhA==*1rqSOGaxBr7BRmp7tmAsrQ==",
    ],
)
async def test_a_key_that_can_not_be_decrypted_is_told(
    stored: str, system: System, user: User, master: Master
) -> None:
    sql = "UPDATE modelproviders SET api_key = %s WHERE creator_id = %s"
    execute(system, sql, stored, user.id)
    async with user.chat() as chat:
        assert "provider of config" in await _ask_in_vain(user, chat)
    assert master.invocations == []


async def test_a_key_that_was_copied_from_another_user_is_told(
    system: System, user: User, other_user: User, master: Master
) -> None:
    execute(
        system,
        """
        UPDATE modelproviders SET api_key = theirs.api_key
        FROM modelproviders AS theirs
        WHERE modelproviders.creator_id = %s AND theirs.creator_id = %s
        """,
        user.id,
        other_user.id,
    )
    async with user.chat() as chat:
        assert "provider of config" in await _ask_in_vain(user, chat)
    assert master.invocations == []


async def test_an_unknown_file_is_told(user: User, master: Master) -> None:
    file_id = str(uuid4())
    async with user.chat() as chat:
        assert file_id in await _ask_in_vain(user, chat, files=[file_id])
        assert master.invocations == []
        await _assert_the_next_is_answered(chat)


async def test_a_user_without_any_config_is_told(system: System, user: User) -> None:
    execute(system, "DELETE FROM modelconfigs WHERE creator_id = %s", user.id)
    async with user.chat() as chat:
        assert "config" in await _ask_in_vain(user, chat)


async def test_an_error_of_the_master_agent_is_told(user: User, master: Master) -> None:
    async def behave(_invocation: Invocation) -> Any:
        raise AgentError("the tool is broken")

    master.behave = behave
    async with user.chat() as chat:
        assert await _ask_in_vain(user, chat) == "the tool is broken"


async def test_a_failure_is_replayed_as_it_was_told(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.send("x", llm_name="nope")
        told = await chat.receive_text()
    async with user.chat(chat.session_id, after=0) as again:
        assert await again.receive_text() == told
    assert master.invocations == []
