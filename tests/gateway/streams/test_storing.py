"""Messages that come at the same moment are stored by one statement, and each by its own right."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import attrs
import pytest
from databases import Database

from gateway.streams import storing as storing_module
from gateway.streams.asking_queries import (
    Acceptance,
    Bounds,
    Inserted,
    NewRequest,
    insert_request,
    insert_requests,
)
from gateway.streams.questions import Past, Question
from gateway.streams.storing import Storing
from shared.postgres.pool import DatabaseAwayError, connect, create_database, transaction
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.gateway.rows import insert_user
from tests.users import eventually

MINUTE = timedelta(minutes=1)


class Watched(Storing):
    """Notes how many are stored together."""

    counts: list[int]

    async def _store_all(self, new: list[NewRequest]) -> list[Inserted]:
        self.counts.append(len(new))
        return await super()._store_all(new)


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return attrs.evolve(read_settings(environment, Settings), open_requests_per_user=3)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


@pytest.fixture
def storing(settings: Settings, database: Database) -> Watched:
    watched = Watched(settings, database)
    watched.counts = []
    return watched


def _new(owner: UUID, session_id: UUID | None = None, message_id: UUID | None = None) -> NewRequest:
    question = Question(
        user_id=owner, session_id=session_id or uuid4(), message="m", message_id=message_id
    )
    return NewRequest(question, MINUTE)


async def _store(storing: Storing, *new: NewRequest) -> list[Acceptance]:
    return [each.acceptance for each in await asyncio.gather(*map(storing.store, new))]


async def _contents(database: Database) -> list[tuple[str, UUID, UUID]]:
    sql = """
        SELECT content, conversation_id, request_id FROM chatmessages
        JOIN requests ON requests.id = request_id AND session_id = conversation_id
        ORDER BY position
    """
    async with connect(database) as connection:
        return [tuple(row) for row in await connection.fetch_all(sql)]


async def test_messages_of_several_are_stored_together_each_with_its_request(
    database: Database, storing: Watched
) -> None:
    owners = [await insert_user(database) for _ in range(3)]
    new = [_new(owner) for owner in owners]
    assert await _store(storing, *new) == [Acceptance.STORED] * 3
    assert storing.counts == [3]
    questions = [each.question for each in new]
    assert await _contents(database) == [("m", q.session_id, q.request_id) for q in questions]


async def test_one_that_is_refused_costs_no_other(database: Database, storing: Watched) -> None:
    owner, other = [await insert_user(database) for _ in range(2)]
    foreign, known = _new(owner), _new(owner, message_id=uuid4())
    assert await _store(storing, foreign, known) == [Acceptance.STORED] * 2
    again = attrs.evolve(known, question=attrs.evolve(known.question, request_id=uuid4()))
    found = await _store(storing, _new(other, foreign.question.session_id), again, _new(owner))
    assert found == [Acceptance.FOREIGN_SESSION, Acceptance.REPEATED, Acceptance.STORED]
    assert storing.counts == [2, 3]
    assert len(await _contents(database)) == 3


async def test_those_of_one_statement_count_for_their_owners_bound(
    database: Database, storing: Watched
) -> None:
    owner, other = [await insert_user(database) for _ in range(2)]
    found = await _store(storing, *(_new(owner) for _ in range(4)), _new(other))
    assert found == [*[Acceptance.STORED] * 3, Acceptance.TOO_MANY_OPEN, Acceptance.STORED]
    assert storing.counts == [5]


async def test_messages_of_one_session_are_stored_in_their_order(
    database: Database, storing: Watched
) -> None:
    owner, other, session_id = await insert_user(database), await insert_user(database), uuid4()
    first, second, third = (_new(owner, session_id, uuid4()) for _ in range(3))
    same = attrs.evolve(second, question=attrs.evolve(second.question, request_id=uuid4()))
    assert await _store(storing, first, second, same) == [
        *[Acceptance.STORED] * 2,
        Acceptance.REPEATED,
    ]
    foreign = _new(other, session_id)
    assert await _store(storing, foreign, third) == [
        Acceptance.FOREIGN_SESSION,
        Acceptance.STORED,
    ]
    assert storing.counts == [3, 2]
    ids = [each.question.request_id for each in (first, second, third)]
    assert [request_id for *_, request_id in await _contents(database)] == ids
    sql = """
        SELECT request_id, said.created_at, last_event_at
        FROM chatmessages AS said JOIN chatconversations ON session_id = conversation_id
        ORDER BY said.created_at
    """
    async with connect(database) as connection:
        rows = await connection.fetch_all(sql)
    assert [row["request_id"] for row in rows] == ids
    times = [row["created_at"] for row in rows]
    assert times[1] - times[0] == timedelta(milliseconds=1)
    assert times[2] - times[1] >= timedelta(milliseconds=1)
    assert {row["last_event_at"] for row in rows} == {times[2]}


async def test_of_two_who_begin_the_same_chat_at_once_one_does(
    database: Database, storing: Watched
) -> None:
    owners, session_id = [await insert_user(database) for _ in range(3)], uuid4()
    new = [_new(owners[0], session_id), _new(owners[1], session_id), _new(owners[2])]
    found = await _store(storing, *new)
    assert found == [Acceptance.STORED, Acceptance.FOREIGN_SESSION, Acceptance.STORED]
    assert storing.counts == [3, 1, 1, 1]


async def test_the_same_message_at_two_gateways_at_once_is_stored_once(
    database: Database, storing: Watched, settings: Settings
) -> None:
    """The one that comes second fails in its statement, and costs no other that is in there."""
    owner, other = [await insert_user(database) for _ in range(2)]
    twice, session_id = _new(owner, message_id=uuid4()), uuid4()
    async with connect(database) as connection, transaction(connection):
        alone = await insert_request(connection, twice, Bounds())
        same = attrs.evolve(twice, question=attrs.evolve(twice.question, request_id=uuid4()))
        at_once = asyncio.create_task(_store(storing, same, _new(other, session_id)))
        await _until_one_waits(database)
    assert alone.acceptance is Acceptance.STORED
    assert await at_once == [Acceptance.REPEATED, Acceptance.STORED]
    assert [row[1] for row in await _contents(database)] == [twice.question.session_id, session_id]


async def _until_one_waits(database: Database) -> None:
    async def waits() -> bool:
        async with connect(database) as connection:
            sql = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            return bool(await connection.fetch_val(sql))

    # In a task of its own, as this one has a connection with a transaction.
    await asyncio.create_task(eventually(waits, "somebody waits for a lock"))


async def test_a_locked_session_costs_no_other(
    database: Database, storing: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its lock is not had in time, all of its statement are tried alone."""
    owner, other = [await insert_user(database) for _ in range(2)]

    async def refuse_many(*arguments: object, **named: object) -> list[Inserted]:
        raise DatabaseAwayError("locked") from asyncpg.LockNotAvailableError()

    monkeypatch.setattr(storing_module, "insert_requests", refuse_many)
    assert await _store(storing, _new(owner), _new(other)) == [Acceptance.STORED] * 2
    assert storing.counts == [2, 1, 1]


async def test_while_postgresql_is_away_all_are_told_so(
    storing: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object, **named: object) -> list[Inserted]:
        raise DatabaseAwayError("away")

    monkeypatch.setattr(storing_module, "insert_requests", fail)
    errors = await asyncio.gather(
        *(storing.store(_new(uuid4())) for _ in range(2)), return_exceptions=True
    )
    assert [type(error) for error in errors] == [DatabaseAwayError] * 2
    assert storing.counts == [2]


async def test_what_has_a_history_or_files_is_stored_alone(
    database: Database, storing: Watched
) -> None:
    owner = await insert_user(database)
    with_files, with_history = _new(owner), _new(owner)
    with_files.question.file_ids.append(uuid4())
    question = attrs.evolve(with_history.question, history=[Past("user", "before")])
    new = with_files, attrs.evolve(with_history, question=question), _new(owner)
    assert await _store(storing, *new) == [Acceptance.STORED] * 3
    assert storing.counts == [1]


async def test_the_statement_is_planned_once_however_many_it_stores(
    database: Database, settings: Settings
) -> None:
    """PostgreSQL tries five plans for what it is given before it makes one for all."""
    owner = await insert_user(database)
    async with connect(database) as connection:
        for count in (1, 2, 1, 8, 1, 1, 4, 1):
            new = [_new(owner) for _ in range(count)]
            await insert_requests(connection, new, Bounds(settings.open_requests_per_user))
        sql = """
            SELECT generic_plans, custom_plans FROM pg_prepared_statements
            WHERE statement LIKE '%json_to_recordset%' AND generic_plans + custom_plans > 1
        """
        plans = await connection.fetch_one(sql)
    assert plans is not None
    assert (plans["generic_plans"], plans["custom_plans"]) == (3, 5)
