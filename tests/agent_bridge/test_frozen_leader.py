"""A leader that is frozen, loses its lock, or has no PostgreSQL: two may lead for a moment."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from devstack.processes import Child, free_port
from devstack.router import RouterServer, start_router
from devstack.routing import Delivery, Keys
from devstack.valkey import ValkeyServer
from shared.locks import LEADER_LOCK
from shared.migrate import migrate
from tests.agent_bridge.agents import connected_agent, is_active, until_active, until_inactive
from tests.agent_bridge.broken import keep_bridges, living_bridges, until_heard
from tests.agent_bridge.stored import insert_left_request, select, select_logs
from tests.shared.line import run_line_aside
from tests.socket.test_database_away import MortalPostgres
from tests.system import (
    BE_KEY,
    ML_KEY,
    System,
    create_database,
    make_environment,
    run_system,
    url_of,
)
from tests.users import User, eventually, register_user

REPLACED_SECONDS = 5.0
LEADERS = f"""
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted
      AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = {LEADER_LOCK}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 (a number of ours)
END_LEADERS = f"SELECT pg_terminate_backend(pid) FROM ({LEADERS}) AS leaders"  # noqa: S608


@contextmanager
def _frozen(child: Child) -> Iterator[None]:
    child.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.process.send_signal(signal.SIGCONT)


async def _until_logged(child: Child, text: str, seconds: float) -> None:
    async def holds() -> bool:
        return text in child.log.read_text()

    await eventually(holds, f"{child.name} has logged {text!r}", seconds)


async def test_a_frozen_leader_is_replaced_within_5_seconds_and_steps_back_when_it_thaws(
    running: System, owner: User
) -> None:
    keep_bridges(running, 2)
    leader, other = living_bridges(running)
    with _frozen(leader):
        await _until_logged(other, "this bridge is the leader", REPLACED_SECONDS)
        await _until_logged(other, "the router session is held", REPLACED_SECONDS)
        await until_heard(running, owner, REPLACED_SECONDS)
    await _until_logged(leader, "this bridge is no longer the leader", REPLACED_SECONDS)
    await until_heard(running, owner, REPLACED_SECONDS)
    assert len(select(running, LEADERS)) == 1
    assert "no longer the leader" not in other.log.read_text()


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The log entries that a router in this process gives to whoever holds the session."""
    messages: list[str] = []
    deliver = RouterServer._deliver

    def note(self: RouterServer, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            payload = delivery.frame.get("request_payload", {})
            if delivery.to in self.outboxes and payload.get("message_type") == "agent_log":
                messages.append(payload["log_message"])
        deliver(self, deliveries)

    monkeypatch.setattr(RouterServer, "_deliver", note)
    return messages


async def test_what_was_delivered_is_stored_once_though_leaders_lose_their_locks(
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
        held = other.log.read_text().count("the router session is held")
        await _until_logged(leader, "the leader's lock can't be had", REPLACED_SECONDS)
        assert other.log.read_text().count("the router session is held") == held
        keep_bridges(running, 0)


@pytest.fixture
def mortal_postgres() -> Iterator[MortalPostgres]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        mortal = MortalPostgres(folder)
        try:
            yield mortal
        finally:
            mortal.stop()


@pytest.fixture
def mortal_system(mortal_postgres: MortalPostgres, valkey: ValkeyServer) -> Iterator[System]:
    server = mortal_postgres.start()
    database = create_database(server)
    migrate(url_of(server, database))
    with run_system(make_environment(server, database, valkey, free_port())) as system:
        system.start_router()
        system.start_gateway()
        system.start_bridge()
        yield system


async def test_agents_are_inactive_after_the_router_died_while_postgresql_was_away(
    mortal_system: System, mortal_postgres: MortalPostgres
) -> None:
    async with register_user(mortal_system.gateway) as user:
        await until_heard(mortal_system, user, 10)
        agent = await user.register_agent("steady", "stays connected")
        async with connected_agent(mortal_system, agent["jwt"]) as connection:
            await connection.register("steady", "stays connected")
            await until_active(user, agent["id"])
            mortal_postgres.stop()
            mortal_system.children["router"].kill()
            [bridge] = living_bridges(mortal_system)
            await _until_logged(bridge, "the router session was lost", 10)
        mortal_postgres.start()
        mortal_system.start_router()
        await _until_readable(user)
        await until_inactive(user, agent["id"])
        await until_heard(mortal_system, user, 10)
        assert await is_active(user, agent["id"]) is False


async def _until_readable(user: User) -> None:
    async def holds() -> bool:
        return (await user.http.get("/api/chats")).status_code == 200

    await eventually(holds, "the gateway reads PostgreSQL again")
