"""A leader that is frozen, loses its lease, or has no PostgreSQL: two may lead for a moment."""

import asyncio
from uuid import uuid4

from devstack.processes import Child
from devstack.router import start_router
from devstack.routing import Keys
from tests.agent_bridge.actors import connected_agent, is_active, until_active, until_inactive
from tests.agent_bridge.broken import freezing, keep_bridges, living_bridges, until_heard
from tests.agent_bridge.stored import insert_left_request, select, select_logs
from tests.shared.line import run_line_aside
from tests.system import (
    BE_KEY,
    ML_KEY,
    System,
)
from tests.users import User, eventually

REPLACED_SECONDS = 5.0
LEADERS = "SELECT holder FROM leases WHERE name = 'router_session' AND expires_at > now()"
END_LEADERS = """
    UPDATE leases SET holder = gen_random_uuid(), expires_at = clock_timestamp() + interval '0.4 s'
    RETURNING holder
"""


async def _until_logged(child: Child, text: str, seconds: float, times: int = 1) -> None:
    async def holds() -> bool:
        return child.log.read_text().count(text) >= times

    await eventually(holds, f"{child.name} has logged {text!r}", seconds)


async def test_a_frozen_leader_is_replaced_within_5_seconds_and_steps_back_when_it_thaws(
    running: System, owner: User
) -> None:
    keep_bridges(running, 2)
    leader, other = living_bridges(running)
    with freezing(leader):
        await until_heard(running, owner, REPLACED_SECONDS)
    await _until_logged(leader, "this bridge is no longer the leader", REPLACED_SECONDS)
    await until_heard(running, owner, REPLACED_SECONDS)
    assert len(select(running, LEADERS)) == 1
    assert "no longer the leader" not in other.log.read_text()


async def test_what_was_delivered_is_stored_once_though_leaders_lose_their_leases(
    running: System, owner: User, delivered: list[str]
) -> None:
    keep_bridges(running, 2)
    running.children["router"].kill()
    session_id, request_id = str(uuid4()), str(uuid4())
    insert_left_request(running, owner.id, session_id, request_id, was_sent=False)
    agent = await owner.register_agent("talks", "logs all the time")
    port = int(running.environment["ROUTER_PORT"])
    async with await start_router(Keys(BE_KEY, ML_KEY), port):
        await until_heard(running, owner, REPLACED_SECONDS)
        async with connected_agent(running, agent["jwt"]) as connection:
            await connection.register("talks", "logs all the time")
            for number in range(250):
                await connection.log(str(number), session_id, request_id)
                if number % 100 == 50:
                    assert select(running, END_LEADERS)
                await asyncio.sleep(0.01)

        async def holds() -> bool:
            return len(select_logs(running, session_id)) >= len(delivered)

        await eventually(holds, "all is stored", REPLACED_SECONDS)
    assert len(delivered) > 100
    assert [row["message"] for row in select_logs(running, session_id)] == delivered


async def test_a_leader_that_is_cut_off_from_postgresql_leaves_the_session_to_another(
    running: System, owner: User
) -> None:
    keep_bridges(running, 0)
    with run_line_aside(int(running.environment["POSTGRES_PORT"])) as line:
        running.start_bridge(POSTGRES_PORT=str(line.port))
        [leader] = living_bridges(running)
        await until_heard(running, owner, REPLACED_SECONDS)
        line.stall()
        running.start_bridge()
        other = living_bridges(running)[1]
        await _until_logged(other, "the router session is held", REPLACED_SECONDS)
        await _until_logged(leader, "the router session was lost", REPLACED_SECONDS)
        await until_heard(running, owner, REPLACED_SECONDS)
        line.cut()  # attempts are refused from here on, two in a second
        await _until_logged(leader, "ConnectionRefusedError", REPLACED_SECONDS, times=4)
        assert leader.log.read_text().count("the router session is held") == 1
        keep_bridges(running, 0)


async def test_agents_are_inactive_after_the_router_died_while_postgresql_was_away(
    running: System, owner: User
) -> None:
    keep_bridges(running, 0)
    with run_line_aside(int(running.environment["POSTGRES_PORT"])) as line:
        bridge = running.start_bridge(POSTGRES_PORT=str(line.port))
        agent = await owner.register_agent("steady", "stays connected")
        async with connected_agent(running, agent["jwt"]) as connection:
            await until_heard(running, owner, REPLACED_SECONDS)
            await connection.register("steady", "stays connected")
            await until_active(owner, agent["id"])
            line.cut()
            await _until_logged(bridge, "the leader's lease can't be had", REPLACED_SECONDS)
            running.children["router"].kill()
            await _until_logged(bridge, "the router session was lost", REPLACED_SECONDS)
        running.start_router()
        assert await is_active(owner, agent["id"]) is True
        line.mend()
        await until_inactive(owner, agent["id"], REPLACED_SECONDS)
        await until_heard(running, owner, REPLACED_SECONDS)
        keep_bridges(running, 0)
