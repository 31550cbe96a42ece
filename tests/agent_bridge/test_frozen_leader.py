"""A leader that is frozen, and one whose PostgreSQL is away while the router dies."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from devstack.processes import Child, free_port
from devstack.valkey import ValkeyServer
from shared.locks import LEADER_LOCK
from shared.migrate import migrate
from tests.agent_bridge.agents import connected_agent, is_active, until_active, until_inactive
from tests.agent_bridge.broken import keep_bridges, living_bridges, until_heard
from tests.agent_bridge.stored import select
from tests.socket.test_database_away import MortalPostgres
from tests.system import System, create_database, make_environment, run_system, url_of
from tests.users import User, eventually, register_user

REPLACED_SECONDS = 5.0
LEADERS = f"""
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted
      AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = {LEADER_LOCK}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 (a number of ours)


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
