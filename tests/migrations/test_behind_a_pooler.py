"""Migrations need a session of their own, and no limits of their role's."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from devstack.postgres import PostgresServer
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import is_original, migrate, roll_back
from tests.pooler import run_pooler
from tests.system import run_database, url_of

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


def test_limits_of_the_services_role_end_no_migration(postgres: PostgresServer) -> None:
    with run_database(postgres) as name:
        url = url_of(postgres, name)
        with psycopg.connect(url, autocommit=True) as connection:
            for limit in ("lock_timeout", "statement_timeout"):
                sql = SQL("ALTER DATABASE {} SET {} = '1ms'")
                connection.execute(sql.format(Identifier(name), Identifier(limit)))
        assert len(migrate(url)) > 5
