"""Partitions of log entries: made ahead, and dropped when all in them is old."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from devstack.postgres import PostgresServer
from shared.upgrade.migrate import migrate, roll_back
from tests.partitions import add_partition, end_in_the_past, midnight, partitions

from .conftest import NAMES, fresh_database
from .rows import insert_log, insert_session, insert_user
from .test_giving_way import reading

DAYS = 3  # of a partition
AHEAD = timedelta(days=7)
PARTITION_OF = "SELECT tableoid::regclass::text FROM logs WHERE session_id = %s ORDER BY id"
LATER_ONES = len(NAMES) - NAMES.index("0024-log-partitions")
BOUND_ONES = len(NAMES) - NAMES.index("0022-log-bound")


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


@pytest.fixture
def tables(connection: Connection) -> Connection:
    """A migrated database, and its partitions."""
    return connection


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def own_session(tables: Connection) -> UUID:
    return insert_session(tables, insert_user(tables))


@pytest.fixture
def role(tables: Connection) -> Iterator[str]:
    """A role that has no rights but those that a test gives it."""
    name = f"services_{tables.info.backend_pid}"
    tables.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    yield name
    tables.execute("RESET ROLE")
    for statement in ("DROP OWNED BY {}", "DROP ROLE {}"):
        tables.execute(sql.SQL(statement).format(sql.Identifier(name)))


def become(connection: Connection, role: str, rights: str) -> None:
    """Give a role these rights on log entries, and take its place."""
    grant = sql.SQL("GRANT {} ON logs TO {}").format(sql.SQL(rights), sql.Identifier(role))
    connection.execute(grant)
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def make(connection: Connection) -> list[str]:
    """Make all that are missing; their names."""
    made = iter(lambda: _first(connection, f"SELECT make_log_partition({DAYS})"), None)
    return [str(name) for name in made]


def drop(connection: Connection, days: int) -> list[str]:
    """Drop those that are wholly so old; their names."""
    dropped = iter(
        lambda: _first(connection, f"SELECT drop_log_partition(interval '{days} days')"), None
    )
    return [str(name) for name in dropped]


def _first(connection: Connection, query: str) -> object:
    [row] = connection.execute(query.encode()).fetchall()
    return row[0]


def insert_at(connection: Connection, session: UUID, *, seq: int, days: float) -> None:
    """Add an entry of so many days ago."""
    insert_log(connection, session, seq)
    connection.execute(
        """
        UPDATE logs SET created_at = timezone('utc', now()) - %s
        WHERE session_id = %s AND seq = %s
        """,
        [timedelta(days=days), session, seq],
    )


def places(connection: Connection, session: UUID) -> list[str]:
    """In which partition each entry of a session is, in the order of the entries."""
    return [place for (place,) in connection.execute(PARTITION_OF, [session])]


def test_partitions_are_made_ahead_one_after_the_other(tables: Connection) -> None:
    ends = list(partitions(tables).values())
    assert ends[-1] > midnight(tables) + AHEAD
    assert {later - end for end, later in pairwise(ends)} == {timedelta(days=DAYS)}
    assert make(tables) == []


def test_after_months_without_services_entries_of_today_have_a_partition(
    tables: Connection, own_session: UUID
) -> None:
    end_in_the_past(tables, 100)
    today = midnight(tables)
    [first, *others] = make(tables)
    assert first == f"logs_{today:%Y%m%d}"
    assert list(partitions(tables).values())[-1] > today + AHEAD
    insert_log(tables, own_session, 1)
    assert places(tables, own_session) == [first]
    assert len(others) == 2


def test_an_entry_for_which_there_is_no_partition_is_stored_and_stays_where_it_is(
    tables: Connection, own_session: UUID
) -> None:
    end_in_the_past(tables, 100)
    insert_log(tables, own_session, 1)
    [first, *_] = make(tables)
    assert first == f"logs_{midnight(tables) + timedelta(days=1):%Y%m%d}"
    insert_log(tables, own_session, 2)
    assert places(tables, own_session) == ["logs_default", "logs_default"]


def test_an_entry_of_a_time_to_come_goes_to_its_partition_when_there_is_one(
    tables: Connection, own_session: UUID
) -> None:
    end_in_the_past(tables, 100)
    for seq, days in enumerate((-4, -400), 1):
        insert_at(tables, own_session, seq=seq, days=days)
    assert places(tables, own_session) == ["logs_default", "logs_default"]
    [_, second, _] = make(tables)
    assert places(tables, own_session) == [second, "logs_default"]


def test_what_is_wholly_too_old_is_dropped_and_nothing_else(
    tables: Connection, own_session: UUID
) -> None:
    end_in_the_past(tables, 40)
    for begin in (40, 37, 34, 31, 28):
        add_partition(tables, f"logs_{begin}", begin, begin - 3)
        insert_at(tables, own_session, seq=begin, days=begin - 1)
    assert drop(tables, 30) == ["logs_past", "logs_40", "logs_37", "logs_34"]
    assert places(tables, own_session) == ["logs_31", "logs_28"]


def test_ids_go_on_when_the_oldest_table_has_been_dropped(
    tables: Connection, own_session: UUID
) -> None:
    insert_log(tables, own_session, 1)
    end_in_the_past(tables, -1)
    assert drop(tables, -2) == ["logs_past"]
    make(tables)
    insert_log(tables, own_session, 2)
    found = tables.execute("SELECT id FROM logs WHERE session_id = %s", [own_session]).fetchall()
    assert found == [(2,)]


def test_only_rows_that_no_partition_will_be_dropped_with_are_deleted(
    tables: Connection, own_session: UUID
) -> None:
    end_in_the_past(tables, 20)
    make(tables)
    for seq, days in enumerate((31, 29, 10, 1, 0), 1):
        insert_at(tables, own_session, seq=seq, days=days)
    assert _first(tables, "SELECT delete_old_logs(interval '30 days', 100)") == 1
    assert len(places(tables, own_session)) == 4
    assert _first(tables, "SELECT delete_old_logs(interval '5 days', 1)") == 1
    assert _first(tables, "SELECT delete_old_logs(interval '5 days', 100)") == 1
    assert len(places(tables, own_session)) == 2


def test_who_may_change_rows_needs_no_other_right(tables: Connection, role: str) -> None:
    end_in_the_past(tables, 40)
    become(tables, role, "INSERT, DELETE")
    assert len(make(tables)) == 3
    assert drop(tables, 30) == ["logs_past"]
    assert _first(tables, "SELECT delete_old_logs(interval '1 day', 1)") == 0
    with pytest.raises(InsufficientPrivilege):
        tables.execute("DROP TABLE logs_default")


def test_the_schema_is_that_of_the_tables_whoever_calls(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA apart")
    url = f"{empty_database}?options=-c%20search_path%3Dapart"
    migrate(url)
    with psycopg.connect(url, autocommit=True) as tables:
        end_in_the_past(tables, 100)
        tables.execute("CREATE TEMPORARY TABLE logs_default ()")  # that is found first by others
        assert len(make(tables)) == 3
        assert drop(tables, 30) == ["logs_past"]
        assert _first(tables, "SELECT delete_old_logs(interval '1 day', 1)") == 0
        tables.execute("DROP TABLE logs_default")
        roll_back(url)
        assert tables.execute("SELECT to_regclass('logs')").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "call",
    [
        "make_log_partition(3)",
        "drop_log_partition(interval '1 day')",
        "delete_old_logs(interval '1 day', 1)",
    ],
    ids=["make", "drop", "delete"],
)
def test_who_may_only_read_makes_and_removes_nothing(
    tables: Connection, role: str, call: str
) -> None:
    become(tables, role, "SELECT")
    with pytest.raises(InsufficientPrivilege, match="permission denied for table logs"):
        tables.execute(f"SELECT {call}".encode())


def test_rights_on_the_table_are_kept_up_and_down(
    database: str, tables: Connection, role: str
) -> None:
    rights = "SELECT has_table_privilege(%s, 'logs', 'INSERT')"
    grant = sql.SQL("GRANT INSERT ON logs TO {}").format(sql.Identifier(role))
    tables.execute(grant)
    roll_back(database, LATER_ONES)
    assert tables.execute(rights, [role]).fetchall() == [(True,)]
    migrate(database)
    assert tables.execute(rights, [role]).fetchall() == [(True,)]


def test_entries_of_all_partitions_are_in_the_one_table_again(
    database: str, tables: Connection, own_session: UUID
) -> None:
    for seq, days in enumerate((100, 0, -5, -400), 1):
        insert_at(tables, own_session, seq=seq, days=days)
    assert len(set(places(tables, own_session))) == 3
    roll_back(database, LATER_ONES)
    assert places(tables, own_session) == ["logs"] * 4
    migrate(database)
    insert_log(tables, own_session, 5)
    found = tables.execute("SELECT id, seq FROM logs ORDER BY id").fetchall()
    assert found == [(number, number) for number in range(1, 6)]


def test_entries_of_odd_times_become_the_past_as_well(
    database: str, tables: Connection, own_session: UUID
) -> None:
    roll_back(database, BOUND_ONES)
    for seq, days in enumerate((100_000, 0, -400), 1):
        insert_at(tables, own_session, seq=seq, days=days)
    for seq, time in enumerate(("infinity", "-infinity"), 4):
        insert_log(tables, own_session, seq)
        tables.execute("UPDATE logs SET created_at = %s WHERE seq = %s", [time, seq])
    migrate(database)
    assert places(tables, own_session) == ["logs_past"] * 5
    latest = "SELECT seq FROM logs WHERE created_at > now() + interval '1 day' ORDER BY seq"
    assert tables.execute(latest).fetchall() == [(3,), (4,)]
    found = tables.execute("SELECT isfinite(created_at) FROM logs ORDER BY seq").fetchall()
    assert found == [(True,), (True,), (True,), (True,), (False,)]


def test_a_long_reader_puts_off_what_is_dropped(database: str, tables: Connection) -> None:
    end_in_the_past(tables, 40)
    make(tables)
    with reading(database, "logs"), pytest.raises(LockNotAvailable):
        drop(tables, 30)
    assert drop(tables, 30) == ["logs_past"]


def test_entries_of_a_deleted_user_go_from_all_partitions(tables: Connection) -> None:
    user = insert_user(tables)
    session = insert_session(tables, user)
    for seq, days in enumerate((1, -5, -400), 1):
        insert_at(tables, session, seq=seq, days=days)
    tables.execute("UPDATE logs SET creator_id = %s", [user])
    assert len(set(places(tables, session))) == 3
    tables.execute("DELETE FROM users WHERE id = %s", [user])
    assert places(tables, session) == []


def test_two_that_make_partitions_at_once_make_each_once(database: str, tables: Connection) -> None:
    end_in_the_past(tables, 40)
    with psycopg.connect(database) as other:
        assert _first(other, f"SELECT make_log_partition({DAYS})") is not None
        with pytest.raises(LockNotAvailable):
            make(tables)
        other.commit()
    assert len(make(tables)) == 2
