"""Migrations need a session of their own, and no limits of their role's."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal

from devstack.postgres import PostgresServer
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import is_original, migrate, roll_back
from tests.pooler import run_pooler
from tests.system import run_database, url_of

from .conftest import FIRST

LIMIT_SECONDS = 0.5
SENTENCE = (
    r"^PostgreSQL at 127\.0\.0\.1:\d+: a pooler stands before it, and migrations need a session of"
    r" their own: please set POSTGRES_HOST and POSTGRES_PORT, or DATABASE_URL, to those of"
    r" PostgreSQL itself for this command$"
)


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("command", [migrate, roll_back, is_original], ids=lambda it: it.__name__)
def test_a_pooler_is_refused_with_what_to_set(
    postgres: PostgresServer, tmp_path: Path, mode: str, command: Callable[[str], object]
) -> None:
    with (
        run_database(postgres) as name,
        run_pooler(tmp_path, postgres, pool_mode=mode) as pooler,
        pytest.raises(MigrationError, match=SENTENCE),
    ):
        command(url_of(postgres, name).replace(str(postgres.port), str(pooler.port)))


@pytest.mark.parametrize("head", ["", "-- transactional: false\n"], ids=["together", "each alone"])
def test_limits_of_the_services_role_end_no_migration(
    database: str, folder: Path, head: str
) -> None:
    """Not as short as can be: what lifts them has to be done within them."""
    name = conninfo_to_dict(database)["dbname"]
    (folder / "0002-slow.sql").write_text(f"{head}SELECT pg_sleep({2 * LIMIT_SECONDS})")
    with psycopg.connect(database, autocommit=True) as connection:
        for limit in ("lock_timeout", "statement_timeout"):
            sql = SQL("ALTER DATABASE {} SET {} = {}")
            value = Literal(f"{1000 * LIMIT_SECONDS:.0f}ms")
            connection.execute(sql.format(Identifier(str(name)), Identifier(limit), value))
    assert migrate(database) == [FIRST, "0002-slow"]
