"""PostgreSQL from the wheel: starts, keeps its data, stops."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
from psycopg.rows import TupleRow

from devstack.postgres import PostgresServer, run_postgres
from devstack.processes import StackError, free_port

PASSWORD = "it's: a pass#word"


def connect(server: PostgresServer) -> psycopg.Connection[TupleRow]:
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname="postgres",
        autocommit=True,
    )


def value_of(server: PostgresServer, query: str) -> object:
    with connect(server) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # the server's own user enters it
        yield Path(name) / "postgres"


@pytest.fixture
def server(folder: Path) -> Iterator[PostgresServer]:
    with run_postgres(folder, password=PASSWORD, fast=True) as running:
        yield running


def test_postgres_speaks_utf8_and_utc(server: PostgresServer) -> None:
    assert value_of(server, "SHOW server_encoding") == "UTF8"
    assert value_of(server, "SHOW timezone") == "UTC"


def test_postgres_knows_letters_beyond_ascii_whatever_the_machine_has(
    server: PostgresServer,
) -> None:
    assert value_of(server, "SELECT lower('ÄÉЖ')") == "äéж"


def test_postgres_wants_the_password(server: PostgresServer) -> None:
    wrong = f"host={server.host} port={server.port} user={server.user} dbname=postgres password=no"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_postgres_keeps_its_data_after_a_stop_and_after_a_crash(folder: Path) -> None:
    port = free_port()
    with run_postgres(folder, password=PASSWORD, port=port, fast=True) as server:
        with connect(server) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (1)")
        server.child.kill()
    with (
        run_postgres(folder, password=PASSWORD, port=port, fast=True) as server,
        connect(server) as connection,
    ):
        connection.execute("INSERT INTO kept VALUES (2)")
    with run_postgres(folder, password=PASSWORD, port=port, fast=True) as server:
        assert value_of(server, "SELECT array_agg(n ORDER BY n) FROM kept") == [1, 2]


def test_postgres_starts_although_sessions_of_a_killed_server_linger(folder: Path) -> None:
    with run_postgres(folder, password=PASSWORD, fast=True) as killed:
        sessions = [connect(killed) for _ in range(20)]
        killed.child.kill()
        with run_postgres(folder, password=PASSWORD, port=killed.port, fast=True) as server:
            assert value_of(server, "SELECT 1") == 1
        for session in sessions:
            session.close()


def test_nothing_of_postgres_is_left_after_its_block(folder: Path) -> None:
    with run_postgres(folder, password=PASSWORD, fast=True) as server:
        process = psutil.Process(server.pid)
        processes = [process, *process.children(recursive=True)]
    assert not [one for one in processes if one.is_running()]


def test_postgres_says_that_the_kept_data_has_another_password(folder: Path) -> None:
    with run_postgres(folder, password=PASSWORD, fast=True):
        pass
    with pytest.raises(StackError, match="another password"), run_postgres(folder, password="new"):
        pass


def test_postgres_says_that_its_port_is_taken(folder: Path, server: PostgresServer) -> None:
    taken = run_postgres(folder, password=PASSWORD, port=server.port)
    with pytest.raises(StackError, match=f"PostgreSQL cannot have port {server.port}"), taken:
        pass
