"""The inbox: what the router said stays in its order, however long PostgreSQL is away."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from agent_bridge import inbox as inbox_module
from agent_bridge.inbox import Inbox
from agent_bridge.logs import Logs
from agent_bridge.registry import Registry
from agent_bridge.router.frames import AgentLogged, AgentRegistered, AgentUnregistered
from agent_bridge.router.session import RouterLost
from shared.database import DatabaseAwayError
from tests.users import eventually

LOST = "all forgotten"


class Database:
    """Away at first; afterwards it keeps what was done."""

    def __init__(self) -> None:
        self.is_away = True
        self.refused = 0
        self.done: list[str] = []

    def do(self, what: str) -> None:
        """Do it, or say that it is away."""
        if self.is_away:
            self.refused += 1
            raise DatabaseAwayError("away")
        self.done.append(what)


class NotingRegistry(Registry):
    """Notes what it is told."""

    def __init__(self, database: Database) -> None:
        self._notes = database

    async def register(self, agent: AgentRegistered) -> None:
        self._notes.do(f"{agent.agent_uuid} came")

    async def unregister(self, gone: AgentUnregistered) -> None:
        self._notes.do(f"{gone.agent_uuid} left")

    async def forget_all(self) -> None:
        self._notes.do(LOST)


class NotingLogs(Logs):
    """Notes what it is told."""

    def __init__(self, database: Database) -> None:
        self._notes = database

    async def store(self, logged: Iterable[AgentLogged]) -> None:
        self._notes.do(" and ".join(entry.message for entry in logged))


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def inbox(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inbox]:
    monkeypatch.setattr(inbox_module, "RETRY_SECONDS", 0.01)
    inbox = Inbox(NotingRegistry(database), NotingLogs(database))
    handling = asyncio.create_task(inbox.handle())
    yield inbox
    handling.cancel()
    await asyncio.wait({handling})


def _came(name: str) -> AgentRegistered:
    return AgentRegistered(name, "jwt", name, name, {})


def _logged(message: str) -> AgentLogged:
    return AgentLogged("agent", "session", "request", "info", message)


async def _until_done(database: Database, count: int) -> None:
    async def holds() -> bool:
        return len(database.done) >= count

    await eventually(holds, f"{count} things are done")


async def _until_refused(database: Database, count: int) -> None:
    async def holds() -> bool:
        return database.refused >= count

    await eventually(holds, f"{count} attempts")


async def test_a_router_that_was_lost_is_told_again_until_postgresql_is_back(
    inbox: Inbox, database: Database
) -> None:
    await inbox.put(RouterLost())
    await _until_refused(database, 3)
    database.is_away = False
    await _until_done(database, 1)
    assert database.done == [LOST]


async def test_agents_are_forgotten_between_those_that_came_before_and_those_that_came_after(
    inbox: Inbox, database: Database
) -> None:
    for event in (_came("old"), RouterLost(), _came("new"), AgentUnregistered("newest")):
        await inbox.put(event)
    await _until_refused(database, 3)
    await inbox.put(_came("later"))
    database.is_away = False
    await _until_done(database, 5)
    assert database.done == ["old came", LOST, "new came", "newest left", "later came"]


async def test_log_entries_do_not_overtake_a_router_that_was_lost(
    inbox: Inbox, database: Database
) -> None:
    for event in (_logged("1"), _logged("2"), RouterLost(), _logged("3")):
        await inbox.put(event)
    await _until_refused(database, 3)
    database.is_away = False
    await _until_done(database, 3)
    assert database.done == ["1 and 2", LOST, "3"]
