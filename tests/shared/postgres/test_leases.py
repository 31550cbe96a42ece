"""A lease has one holder, for a time that PostgreSQL's clock decides, whatever that does."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from databases.core import Connection

from shared.postgres.apart import connect_apart
from shared.postgres.leases import ANOTHER, Lease, give_lease_back, take_lease
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import Stores
from tests.users import eventually

LOCK = 5_000_000_001


@pytest.fixture(scope="module")
def settings(stores: Stores) -> Iterator[Settings]:
    """A migrated database."""
    with stores.environment() as environment:
        yield read_settings(environment, Settings)


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[Connection]:
    async with create_database(settings) as database, connect(database) as connection:
        await connection.execute("DELETE FROM leases")
        yield connection


def make_lease(seconds: float = 30.0) -> Lease:
    return Lease("it", seconds, LOCK)


async def move_clock(connection: Connection, interval: str) -> None:
    """What the stored time looks like once PostgreSQL's clock was moved by so much."""
    sql = "UPDATE leases SET expires_at = expires_at - CAST(CAST(:by AS text) AS interval)"
    await connection.execute(sql, {"by": interval})


async def test_one_has_it_and_takes_it_anew(connection: Connection) -> None:
    one, other = make_lease(), make_lease()
    assert [await take_lease(connection, lease) for lease in (one, other, one, other)] == [
        None,
        ANOTHER,
        None,
        ANOTHER,
    ]


async def test_another_takes_it_when_its_time_is_over(connection: Connection) -> None:
    one, other = make_lease(1.0), make_lease(1.0)
    assert await take_lease(connection, one) is None
    await move_clock(connection, "1 second")
    assert await take_lease(connection, other) is None
    assert await take_lease(connection, one) == ANOTHER


async def test_who_gives_it_back_leaves_it_to_another_at_once(connection: Connection) -> None:
    one, other = make_lease(), make_lease()
    await take_lease(connection, one)
    await give_lease_back(connection, one)
    assert await take_lease(connection, other) is None


async def test_nobody_gives_back_what_another_has(connection: Connection) -> None:
    one, other = make_lease(), make_lease()
    await take_lease(connection, one)
    await give_lease_back(connection, other)
    assert await take_lease(connection, other) == ANOTHER


@pytest.mark.parametrize("moved", ["1 hour", "-1 hour"])
async def test_a_clock_that_is_set_keeps_nobody_waiting(connection: Connection, moved: str) -> None:
    gone, other = make_lease(), make_lease()
    await take_lease(connection, gone)
    await move_clock(connection, moved)
    assert await take_lease(connection, other) is None


async def test_of_many_at_once_one_takes_what_is_free_and_what_is_over(settings: Settings) -> None:
    async def take(lease: Lease) -> str | None:
        async with connect(database) as connection:
            return await take_lease(connection, lease)

    async with create_database(settings) as database:
        for seconds in (0.01, 30.0):
            await asyncio.sleep(0.02)
            leases = [make_lease(seconds) for _ in range(30)]
            found = await asyncio.gather(*(take(lease) for lease in leases))
            assert seconds < 1 or found.count(None) == 1


async def test_a_process_of_an_older_version_goes_first(
    settings: Settings, connection: Connection
) -> None:
    one = make_lease()
    assert await take_lease(connection, one) is None
    older = await connect_apart(settings, "older")
    await older.execute(f"SELECT pg_advisory_lock({LOCK})")
    pid = older.get_server_pid()
    assert await take_lease(connection, one) == (
        f"an older version has it: PostgreSQL's session {pid} holds its lock"
    )
    await older.close()
    assert await take_lease(connection, one) is None


async def test_one_that_ends_with_a_session_is_free_once_that_has_ended(
    settings: Settings, connection: Connection
) -> None:
    one, other = make_lease(), make_lease()
    own = await connect_apart(settings, "test")
    assert await take_lease(connection, one, own.get_server_pid()) is None
    assert await take_lease(connection, other) == ANOTHER
    await own.close()

    async def is_free() -> bool:
        return await take_lease(connection, other) is None

    await eventually(is_free, "it is free", 2.0)
    assert await take_lease(connection, one) == ANOTHER
