"""Notifications are lost: what they told arrives all the same, a poll and a watch later."""

from time import monotonic
from typing import Any

import pytest

from tests.master import Invocation, answer, echo, run_master
from tests.system import System
from tests.users import Chat, register_user

LATE_SECONDS = 3.0
SLACK_SECONDS = 3.0  # of a machine with other work
MESSAGES = 3


async def log_and_echo(invocation: Invocation) -> Any:
    """Log twice, and answer with the message."""
    await invocation.log("one")
    await invocation.log("two")
    return await echo(invocation)


async def assert_chat_goes_on(chat: Chat, first_seq: int = 1) -> None:
    """Everything arrives in order, each message within the promised time."""
    for number in range(MESSAGES):
        began = monotonic()
        await chat.send(str(number))
        frames = [await chat.receive() for _ in range(3)]
        assert monotonic() - began < LATE_SECONDS + SLACK_SECONDS
        seq = first_seq + 3 * number
        assert [frame["seq"] for frame in frames] == [seq, seq + 1, seq + 2]
        [told] = [frame["response"] for frame in frames if frame["type"] == "agent_response"]
        assert told["response"] == answer(f"echo: {number}")


@pytest.mark.parametrize("loss", ["lose_all_notifications", "lose_every_second_notification"])
async def test_logs_and_answers_arrive_though_notifications_are_lost(
    loss: str, bare_stage: System
) -> None:
    bare_stage.start_gateway(loss)
    bare_stage.start_bridge(loss)
    async with (
        run_master(bare_stage.router_url, log_and_echo),
        register_user(bare_stage.gateways[-1]) as user,
    ):
        await user.create_config()
        async with user.chat() as chat:
            await assert_chat_goes_on(chat)
