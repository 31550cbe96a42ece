"""What is too large for the master agent's library is not sent: it would end its connection."""

import json

import pytest

from tests.agent_bridge.stored import execute
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import User

MOST = "with its agents, files and model config it may have at most 1,008 KB"


async def test_a_config_that_is_too_large_fails_its_own_request_and_no_other(
    system: System, user: User, other_user: User, master: Master
) -> None:
    metadata = json.dumps({"notes": "x" * 1024 * 1024})
    execute(
        system,
        "UPDATE modelproviders SET provider_metadata = %s WHERE creator_id = %s",
        metadata,
        user.id,
    )

    async def behave(invocation: Invocation) -> object:
        async with user.chat() as large:
            refused = await large.ask("hello")
        assert refused["error"] == (
            f"The message can't be sent: {MOST}, and the model config with its provider's metadata"
            " has 1,025 KB"
        )
        return answer(f"unhurt: {invocation.payload['message']}")

    master.behave = behave
    async with other_user.chat() as chat:
        answered = await chat.ask("running meanwhile")
    assert answered["response"]["response"] == answer("unhurt: running meanwhile")
    assert len(master.invocations) == 1


@pytest.mark.parametrize(("letter", "goes"), [("x", True), ('"', False)])
async def test_a_message_may_be_as_long_as_its_json_fits(
    letter: str, goes: bool, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        told = await chat.ask(letter * 512 * 1024)
        assert told["response"]["is_success"] is goes
        assert ("the message has 1,024 KB" in told.get("error", "")) is not goes
        assert (await chat.ask("after"))["response"]["response"] == answer("echo: after")
