"""The inbox: what the router said waits for PostgreSQL in its order, bounded, and blocks nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID, uuid4

import pytest
from attrs import frozen

from agent_bridge import metrics
from agent_bridge.agents.registry import Refusal, Registration, Registry
from agent_bridge.intake import inbox as inbox_module
from agent_bridge.intake.entries import Entries
from agent_bridge.intake.inbox import AgentInbox, LogInbox
from agent_bridge.logs.store import Logs
from agent_bridge.parts.parts import Parts
from agent_bridge.router.frames import AgentLogged, AgentRegistered, AgentUnregistered
from agent_bridge.router.session import (
    AgentEvent,
    AgentsSeen,
    FlushMarker,
    FullError,
    LogEvent,
    RouterLost,
    TermBegan,
)
from shared.postgres.pool import DatabaseAwayError
from tests.users import eventually

LOST = "all forgotten"
TRIAL = "a call, perhaps in vain"
FORGED = "forged"
NOBODY = "nobody"
TERM = uuid4()
OLD, NEW = UUID(int=1), UUID(int=2)


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

    def verify(self, agent: AgentRegistered) -> Registration | Refusal:
        if agent.agent_jwt == FORGED:
            return Refusal(UUID(agent.agent_uuid))
        size = len(agent.description)
        return Registration(UUID(agent.agent_uuid), OLD, "", agent.name, "", {}, size)

    async def register(self, term: UUID, agent: Registration) -> bool:
        assert term == TERM
        self._notes.do(f"{agent.agent_id.int} came as {agent.name}")
        return agent.name != NOBODY

    async def doubt(self, term: UUID, agent_id: UUID) -> None:
        assert term == TERM
        self._notes.do(f"{agent_id.int} is doubtful")

    async def unregister(self, term: UUID, agent_id: UUID) -> None:
        assert term == TERM
        self._notes.do(f"{agent_id.int} left")

    async def forget_all(self, term: UUID) -> None:
        assert term == TERM
        self._notes.do(LOST)

    async def update_presence(self, term: UUID, seen: AgentsSeen) -> None:
        assert term == TERM
        self._notes.do(f"{len(seen.present)} present, {len(seen.absent)} absent")


class NotingLogs(Logs):
    """Notes what it is told."""

    def __init__(self, database: Database) -> None:
        self._notes = database

    async def may_begin_trial(self, logged: Iterable[AgentLogged]) -> bool:
        return any(entry.message == TRIAL for entry in logged)

    async def store(self, logged: Iterable[AgentLogged], number: int) -> None:
        self._notes.do(" and ".join(entry.message for entry in logged))


@pytest.fixture
def database() -> Database:
    return Database()


class NotingParts(Parts):
    """Tells none, and keeps them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, part: AgentLogged) -> bool:
        """Keep it."""
        self.database.done.append(f"part {part.message}")
        return True


@frozen
class Inbox:
    logs: LogInbox
    agents: AgentInbox


@pytest.fixture
async def inbox(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inbox]:
    monkeypatch.setattr(inbox_module, "RETRY_SECONDS", 0.01)
    agents = AgentInbox(NotingRegistry(database))
    logs = LogInbox(NotingLogs(database), Entries(0), NotingParts(database), agents.is_verified)
    inbox = Inbox(logs, agents)
    handling = {
        asyncio.create_task(inbox.logs.handle()),
        asyncio.create_task(inbox.agents.handle()),
    }
    yield inbox
    for task in handling:
        task.cancel()
    await asyncio.wait(handling)


def _came(agent: UUID, name: str = "x", description: str = "") -> AgentRegistered:
    return AgentRegistered(str(agent), "jwt", name, description, {})


def _left(agent: UUID) -> AgentUnregistered:
    return AgentUnregistered(str(agent))


def _forged(agent: UUID) -> AgentRegistered:
    return AgentRegistered(str(agent), FORGED, "x", "", {})


def _logged(message: str, agent: UUID | None = None) -> AgentLogged:
    return AgentLogged(str(agent or "agent"), "session", "request", "info", message)


def _put(inbox: Inbox, *events: LogEvent | AgentEvent) -> None:
    for event in events:
        if isinstance(event, AgentLogged | FlushMarker):
            inbox.logs.put(event)
        else:
            inbox.agents.put(TERM, event)


async def _until_refused(database: Database, count: int) -> None:
    async def holds() -> bool:
        return database.refused >= count

    await eventually(holds, f"{count} attempts")


async def _done(database: Database, count: int) -> list[str]:
    """What is done once PostgreSQL has come back."""

    async def holds() -> bool:
        return len(database.done) >= count

    database.is_away = False
    await eventually(holds, f"{count} things are done")
    return database.done


async def test_a_router_that_was_lost_is_told_again_until_postgresql_is_back(
    inbox: Inbox, database: Database
) -> None:
    _put(inbox, RouterLost())
    await _until_refused(database, 3)
    assert await _done(database, 1) == [LOST]


async def test_agents_are_forgotten_between_those_that_came_before_and_those_that_came_after(
    inbox: Inbox, database: Database
) -> None:
    _put(inbox, _came(OLD), RouterLost(), _came(NEW), _left(NEW))
    await _until_refused(database, 3)
    _put(inbox, AgentsSeen(frozenset([OLD]), frozenset()))
    told = ["1 came as x", LOST, "2 came as x", "2 left", "1 present, 0 absent"]
    assert await _done(database, 5) == told


async def test_of_an_agent_that_comes_and_goes_many_times_only_the_last_waits(
    inbox: Inbox, database: Database
) -> None:
    for number in range(1000):
        _put(inbox, _came(OLD, str(number)), _left(OLD), _came(NEW, str(number)))
    _put(inbox, _came(OLD, "last"))
    await _until_refused(database, 1)
    assert await _done(database, 3) == ["1 left", "2 came as 999", "1 came as last"]


async def test_what_an_agent_said_while_its_older_words_were_stored_is_stored_too(
    inbox: Inbox, database: Database
) -> None:
    _put(inbox, _came(OLD, "first"))
    await _until_refused(database, 1)
    _put(inbox, _came(OLD, "second"))
    assert (await _done(database, 1))[-1] == "1 came as second"


async def test_more_agents_than_can_wait_end_the_session_and_lose_nothing_that_waits(
    inbox: Inbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "EVENTS_LIMIT", 2)
    _put(inbox, _came(OLD), _came(NEW))
    with pytest.raises(FullError):
        _put(inbox, _left(NEW))
    _put(inbox, _came(OLD, "again"))
    assert await _done(database, 2) == ["2 came as x", "1 came as again"]


async def test_agents_that_say_more_than_can_wait_end_the_session(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "EVENTS_BYTES_LIMIT", 10)
    _put(inbox, _came(OLD, description="x" * 6), _came(OLD, description="y" * 10))
    with pytest.raises(FullError):
        _put(inbox, _came(NEW, description="x"))


async def test_connections_that_are_no_agents_do_not_wait(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "EVENTS_LIMIT", 0)
    _put(inbox, AgentUnregistered("presence:key"))


async def test_a_flush_marker_holds_up_no_entries_and_passes_when_those_before_it_are_stored(
    inbox: Inbox, database: Database
) -> None:
    async def passed() -> None:
        database.do("marker")

    _put(inbox, _logged("1"), _logged("2"), FlushMarker(passed), _logged("3"))
    await _until_refused(database, 3)
    assert await _done(database, 2) == ["1 and 2 and 3", "marker"]


async def test_a_flush_marker_waits_for_no_entries_of_other_requests(
    inbox: Inbox, database: Database
) -> None:
    passed: list[str] = []

    def marker(*request_ids: str) -> FlushMarker:
        async def note() -> None:
            passed.append(" ".join(request_ids))

        return FlushMarker(note, request_ids)

    async def is_past_the_others() -> bool:
        return passed == ["other", "none"]

    _put(inbox, _logged("1"), marker("request"), marker("other"), marker("none"))
    await _until_refused(database, 2)
    await eventually(is_past_the_others, "the markers of other requests have passed")
    await _done(database, 1)
    await inbox.logs.flush()
    assert passed == ["other", "none", "request"]


async def test_what_follows_a_call_that_may_be_in_vain_is_stored_with_it(
    inbox: Inbox, database: Database
) -> None:
    database.is_away = False
    _put(inbox, _logged("before"), _logged(TRIAL))
    await asyncio.sleep(0.02)  # it is waited for longer
    _put(inbox, _logged("its end"))
    assert await _done(database, 1) == [f"before and {TRIAL} and its end"]


async def test_log_entries_do_not_wait_for_agents(inbox: Inbox, database: Database) -> None:
    database.is_away = False
    storing = asyncio.Event()

    async def never(term: UUID, agent: Registration) -> bool:
        return await storing.wait()

    inbox.agents._registry.register = never  # type: ignore[method-assign]
    _put(inbox, _came(OLD), _logged("at once"))
    assert await _done(database, 1) == ["at once"]


async def test_a_refusal_is_forgotten_for_no_later_end_of_its_connection(
    inbox: Inbox, database: Database
) -> None:
    _put(inbox, _came(OLD), _forged(OLD), _left(OLD))
    assert await _done(database, 3) == ["1 came as x", "1 is doubtful", "1 left"]


@pytest.mark.parametrize(
    ("events", "is_verified"),
    [
        ([], None),
        ([_came(OLD)], True),
        ([_came(OLD), _left(OLD)], False),
        ([_came(OLD), _forged(OLD)], False),
        ([_forged(OLD), _left(OLD), _came(OLD)], True),
        ([_came(NEW)], None),
        ([AgentsSeen(frozenset([OLD]), frozenset())], None),
        ([AgentsSeen(frozenset([OLD]), frozenset(), frozenset([OLD]))], True),
        ([_came(OLD), AgentsSeen(frozenset(), frozenset([OLD]))], None),
        ([_came(OLD), RouterLost()], None),
        ([_came(OLD), TermBegan()], None),
        ([_left(OLD), TermBegan()], False),
    ],
)
async def test_an_agent_is_who_it_says_from_a_good_registration_to_its_end(
    inbox: Inbox, events: list[AgentEvent], is_verified: bool | None
) -> None:
    _put(inbox, *events)
    assert inbox.agents.is_verified(str(OLD)) is is_verified


@pytest.mark.parametrize("last", [_left(OLD), _forged(OLD), _came(OLD, NOBODY)])
async def test_postgresql_says_who_is_who_once_it_has_all_that_was_heard(
    inbox: Inbox, database: Database, last: AgentEvent
) -> None:
    database.is_away = False
    _put(inbox, _came(OLD), last)
    await inbox.agents.flush()
    assert inbox.agents.is_verified(str(OLD)) is None


async def test_entries_of_who_has_left_or_was_refused_are_dropped_before_postgresql_knows_it(
    inbox: Inbox, database: Database
) -> None:
    before = _dropped()
    _put(inbox, _came(OLD), _logged("mine", OLD), _left(OLD), _logged("after", OLD))
    _put(inbox, _forged(NEW), _logged("forged", NEW), _logged("another's"))
    assert _dropped() - before == 2
    assert "mine and another's" in await _done(database, 4)


async def test_the_metrics_tell_of_log_entries_that_could_not_be_stored(
    inbox: Inbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_logged: Iterable[AgentLogged], _number: int) -> None:
        raise ValueError("no")

    database.is_away = False
    before = _dropped()
    with monkeypatch.context() as patched:
        patched.setattr(inbox.logs._logs, "store", fail)
        _put(inbox, _logged("1"), _logged("2"))
        await inbox.logs.flush()
    assert _dropped() - before == 2


def _dropped() -> float:
    (family,) = metrics.LOG_ENTRIES_DROPPED.collect()
    return next(each.value for each in family.samples if each.name.endswith("_total"))
