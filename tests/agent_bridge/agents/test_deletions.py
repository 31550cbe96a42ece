"""Deleted agents: told through the router, and unknown from then on."""

import pytest
import redis.asyncio

from agent_bridge.agents.deletions import DELETED
from shared.notifications.formats import DELETED_AGENTS
from tests.agent_bridge.actors import connected_agent, until_active, until_inbox_is_empty
from tests.agents.running import Generation, run_agent
from tests.system import System
from tests.users import User, eventually


@pytest.fixture(autouse=True)
async def _heard(system: System) -> None:
    """Notifications of deletions have a listener: a bridge that has just started may miss some."""
    async with redis.asyncio.from_url(system.settings.redis_url) as client:

        async def is_heard() -> bool:
            [(_, listeners)] = await client.pubsub_numsub(DELETED_AGENTS)
            return bool(listeners)

        await eventually(is_heard, "a bridge listens for deletions")


async def _delete(user: User, agent_id: str) -> None:
    answer = await user.http.delete(f"/api/agents/{agent_id}")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_connected_agent_that_is_deleted_is_told(system: System, user: User) -> None:
    agent = await user.register_agent("doomed", "is deleted")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("doomed", "is deleted")
        await until_active(user, agent["id"])
        await _delete(user, agent["id"])
        told = (await connection.receive())["error"]
    assert (told["error_message"], told["error_type"]) == (DELETED, "AgentGeneralError")


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_of_either_generation_that_is_deleted_stops(
    generation: Generation, system: System, user: User
) -> None:
    agent = await user.register_agent()
    with run_agent(system, generation, agent["jwt"], "seal") as process:
        await until_active(user, agent["id"], 20)
        await _delete(user, agent["id"])

        async def has_stopped() -> bool:
            return process.has_ended

        await eventually(has_stopped, "the agent's process has ended")


async def test_a_deleted_agent_that_registers_again_is_refused(system: System, user: User) -> None:
    agent = await user.register_agent("doomed", "is deleted")
    await _delete(user, agent["id"])
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("doomed", "is deleted")
        assert (await connection.receive())["error"]["error_type"] == "AgentGeneralError"


async def test_only_the_agent_that_was_deleted_is_told(system: System, user: User) -> None:
    doomed = await user.register_agent("doomed", "is deleted")
    spared = await user.register_agent("spared", "stays")
    async with (
        connected_agent(system, doomed["jwt"]) as first,
        connected_agent(system, spared["jwt"]) as second,
    ):
        await first.register("doomed", "is deleted")
        await second.register("spared", "stays")
        await until_active(user, doomed["id"])
        await until_active(user, spared["id"])
        await _delete(user, doomed["id"])
        await first.receive()
        await until_inbox_is_empty(system, user)
        assert (await user.read_agent(spared["id"]))["is_active"]


@pytest.mark.parametrize("message", [b"", b"\xff", b"not an id", b"deleted/1 \xff", b"deleted/2 x"])
async def test_notifications_that_name_no_agent_end_nothing(
    message: bytes, system: System, user: User
) -> None:
    async with redis.asyncio.from_url(system.settings.redis_url) as client:
        await client.publish(DELETED_AGENTS, message)
    await test_a_connected_agent_that_is_deleted_is_told(system, user)
