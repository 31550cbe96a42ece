"""PostgreSQL is asked how far the watched sessions are: notifications may be lost."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from databases import Database

from gateway.streams.watch import Watch, Watched, select_last_seqs
from shared.postgres.pool import create_database
from shared.process.background import background
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.gateway.rows import insert_answer, insert_session, insert_user
from tests.shared.line import run_line
from tests.system import make_secrets
from tests.users import eventually


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.streams.watch.WATCH_SECONDS", 0.02)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


@pytest.fixture
async def session_id(database: Database) -> UUID:
    return await insert_session(database, await insert_user(database), last_seq=7)


async def test_the_last_seq_of_each_session_that_exists_is_found(
    database: Database, session_id: UUID
) -> None:
    watched = [Watched(session_id), Watched(uuid4())]
    assert await select_last_seqs(database, watched) == {watched[0]: 7}


async def test_a_request_that_is_no_more_is_not_found_though_its_session_is_there(
    database: Database,
) -> None:
    owner = await insert_user(database)
    session_id = await insert_session(database, owner)
    request_id = await insert_answer(database, owner, session_id, 7)
    watched = [Watched(session_id, request_id), Watched(session_id, uuid4())]
    assert await select_last_seqs(database, watched) == {watched[0]: 7}


async def test_every_watcher_of_a_session_is_told(database: Database, session_id: UUID) -> None:
    watch = Watch(database)
    told: list[set[int | None]] = [set(), set()]
    watched = Watched(session_id)

    async def both() -> bool:
        return told == [{7}, {7}]

    with watch.watch(watched, told[0].add), watch.watch(watched, told[1].add):
        async with background(watch=watch.run()):
            await eventually(both, "both were told")


async def test_all_are_told_where_they_are_asked_for_in_portions(
    database: Database, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.streams.watch.PORTION", 1)
    watch, told = Watch(database), set[int | None]()

    async def both() -> bool:
        return told == {7, None}

    with watch.watch(Watched(session_id), told.add), watch.watch(Watched(uuid4()), told.add):
        async with background(watch=watch.run()):
            await eventually(both, "both were told")


async def test_a_watcher_is_told_that_there_is_no_session(database: Database) -> None:
    watch = Watch(database)
    told = set[int | None]()

    async def is_told() -> bool:
        return told == {None}

    with watch.watch(Watched(uuid4()), told.add):
        async with background(watch=watch.run()):
            await eventually(is_told, "it was told")


async def test_a_watcher_that_left_is_not_told(database: Database, session_id: UUID) -> None:
    watch = Watch(database)
    left, stays = asyncio.Event(), asyncio.Event()
    with watch.watch(Watched(session_id), lambda _: stays.set()):
        with watch.watch(Watched(session_id), lambda _: left.set()):
            pass
        async with background(watch=watch.run()), asyncio.timeout(5):
            await stays.wait()
    assert not left.is_set()


async def test_it_goes_on_when_postgresql_was_away(
    settings: Settings, session_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    async def warned() -> bool:
        return "can't be looked after" in caplog.text

    async with run_line(settings.postgres_port) as line:
        variables = {
            **make_secrets(),
            "POSTGRES_PORT": str(line.port),
            "POSTGRES_PASSWORD": settings.postgres_password,
            "POSTGRES_DB": settings.postgres_db,
        }
        far_settings = read_settings(variables, Settings)
        async with create_database(far_settings) as far:
            watch, told = Watch(far), asyncio.Event()
            with watch.watch(Watched(session_id), lambda _: told.set()):
                async with background(watch=watch.run()), asyncio.timeout(10):
                    await told.wait()
                    await line.cut()
                    await eventually(warned, "it noticed")
                    told.clear()
                    await line.mend()
                    await told.wait()
