"""The services' role: made by a script, let by the migration, able to do what is needed only."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from attrs import frozen
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from devstack.postgres import PostgresServer
from devstack.postgres_place import find_place
from shared.settings.migrating import MigratingSettings
from shared.settings.reading import SettingsError, read_settings
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import grant, main, migrate
from tests.system import PROJECT, run_database, url_of

from .conftest import variables

SCRIPT = PROJECT / "devstack/role.sql"
OTHERS = ("_yoyo_log", "foreign_table")


@frozen
class Role:
    """A role, and its password."""

    name: str
    password: str

    def connect(self, server: PostgresServer, database: str) -> Connection:
        url = f"postgresql://{server.host}:{server.port}/{database}"
        return psycopg.connect(url, user=self.name, password=self.password, autocommit=True)


def run_script(server: PostgresServer, folder: Path, role: Role) -> None:
    environment = {
        **os.environ,
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGDATABASE": "postgres",
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "POSTGRES_USER": role.name,
        "POSTGRES_PASSWORD": role.password,
    }
    psql = find_place(folder).binaries / "psql"
    command = [str(psql), "--no-psqlrc", "--quiet", f"--file={SCRIPT}"]
    subprocess.run(command, env=environment, check=True)


@pytest.fixture(scope="module")
def role(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Role]:
    role = Role(f'role of "services" {uuid4()}', f"it's {secrets.token_hex(8)}")
    run_script(postgres, tmp_path_factory.mktemp("role"), role)
    yield role
    with psycopg.connect(url_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role.name)))


@pytest.fixture(scope="module")
def database_name(postgres: PostgresServer, role: Role) -> Iterator[str]:
    """A database that was migrated, with a table of somebody else's."""
    with run_database(postgres) as name:
        url = url_of(postgres, name)
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE foreign_table (id serial)")
        grant(url, role.name)
        yield name


@pytest.fixture
def services(postgres: PostgresServer, database_name: str, role: Role) -> Iterator[Connection]:
    with role.connect(postgres, database_name) as connection:
        yield connection


def tables_of(connection: Connection) -> set[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = current_schema()::regnamespace"
    )
    return {name for (name,) in rows}


def test_it_works_with_the_rows_of_every_table_of_ours(services: Connection) -> None:
    rows = services.execute("SELECT relname FROM pg_class WHERE relispartition")
    through_theirs = {name for (name,) in rows}
    ours = {name for name in tables_of(services) - through_theirs if "yoyo" not in name}
    ours -= {"foreign_table", "audit"}
    assert len(ours) > 20
    for table in ours:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            [[has]] = services.execute("SELECT has_table_privilege(%s, %s)", [table, right])
            assert has, f"{right} on {table}"


def test_it_has_no_other_right_anywhere(services: Connection) -> None:
    rows = services.execute("""
        SELECT relname, privilege FROM pg_class,
               unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS privilege
        WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
          AND has_table_privilege(pg_class.oid, privilege)
    """)
    assert rows.fetchall() == []


@pytest.mark.parametrize("table", OTHERS)
def test_tables_of_others_are_refused(services: Connection, table: str) -> None:
    assert table in tables_of(services)
    with pytest.raises(InsufficientPrivilege):
        services.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))


def test_of_the_notes_of_migrations_it_reads_the_names_alone(services: Connection) -> None:
    names = services.execute("SELECT migration_id FROM _yoyo_migration").fetchall()
    assert ("0001-original-installation",) in names
    with pytest.raises(InsufficientPrivilege):
        services.execute("SELECT applied_at_utc FROM _yoyo_migration")
    with pytest.raises(InsufficientPrivilege):
        services.execute("DELETE FROM _yoyo_migration")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE agents ADD COLUMN mine integer",
        "DROP TABLE logs",
        "TRUNCATE logs",
        "CREATE INDEX mine ON logs (id)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE mine",
        "CREATE SCHEMA mine",
        "ALTER TABLE logs DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SELECT nextval('foreign_table_id_seq')",
        "COPY logs TO PROGRAM 'true'",
    ],
)
def test_whatever_changes_more_than_rows_is_refused(services: Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        services.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET address = ''",
        "DELETE FROM audit WHERE at < now() - interval '400 days'",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "INSERT INTO audit (action, via, address, details, at) VALUES ('', '', '', '{}', now())",
        "DROP FUNCTION keep_audit CASCADE",
        """
        CREATE TEMPORARY TABLE mine (id uuid);
        CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION note_audit('x')
        """,
    ],
)
def test_the_audit_log_can_be_read_and_added_to_only(services: Connection, statement: str) -> None:
    services.execute(
        "INSERT INTO audit (action, via, address, details) VALUES ('user.created', 'api', '', '{}')"
    )
    assert services.execute("SELECT FROM audit").rowcount > 0
    with pytest.raises(InsufficientPrivilege):
        services.execute(statement.encode())


def test_numbers_that_rows_get_by_themselves_are_had(services: Connection) -> None:
    services.execute(
        "INSERT INTO logs (session_id, request_id, message, log_level)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'message', 'info')"
    )


def test_the_script_gives_a_role_that_is_there_its_password(
    postgres: PostgresServer, tmp_path: Path, database_name: str, role: Role
) -> None:
    run_script(postgres, tmp_path, Role(role.name, "another"))
    with pytest.raises(psycopg.OperationalError, match="password"):
        role.connect(postgres, database_name)
    run_script(postgres, tmp_path, role)
    role.connect(postgres, database_name).close()


@pytest.fixture
def as_owner(
    variables_of: None, database: str, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The services have a role of their own, and the migration that of the tables' owner."""
    for name in ("USER", "PASSWORD"):
        given = variables(database)[f"POSTGRES_{name}"]
        monkeypatch.setenv(f"MIGRATE_POSTGRES_{name}", given)
    monkeypatch.setenv("POSTGRES_USER", role.name)
    monkeypatch.setenv("POSTGRES_PASSWORD", role.password)


def may_read(connection: Connection, role: Role, table: str) -> bool:
    statement = "SELECT has_table_privilege(%s, %s, 'SELECT')"
    [[may]] = connection.execute(statement, [role.name, table])
    return bool(may)


@pytest.mark.usefixtures("as_owner")
def test_the_migration_lets_it_each_time(
    connection: Connection, role: Role, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert may_read(connection, role, "sealing")
    connection.execute(sql.SQL("REVOKE ALL ON sealing FROM {}").format(sql.Identifier(role.name)))
    assert main([]) == 0
    assert capsys.readouterr().out.endswith("nothing to apply\n")
    assert may_read(connection, role, "sealing")
    [owners] = connection.execute(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = current_schema()"
    )
    assert role.name not in owners


@pytest.mark.usefixtures("as_owner")
def test_a_role_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTGRES_USER", "nobody_here")
    assert main([]) == 1
    assert 'role "nobody_here" does not exist' in capsys.readouterr().err


def test_without_a_role_of_its_own_the_migration_has_that_of_the_services(database: str) -> None:
    settings = read_settings(variables(database), MigratingSettings)
    assert (settings.owner_url, settings.services_role) == (settings.database_url, None)


def test_a_role_of_its_own_needs_its_password(database: str) -> None:
    given = {**variables(database), "MIGRATE_POSTGRES_USER": "owner"}
    with pytest.raises(SettingsError, match="MIGRATE_POSTGRES_PASSWORD is missing"):
        read_settings(given, MigratingSettings)
    password = secrets.token_hex(16)
    settings = read_settings({**given, "MIGRATE_POSTGRES_PASSWORD": password}, MigratingSettings)
    assert settings.owner_url.startswith(f"postgresql://owner:{password}@")
    assert settings.services_role == settings.postgres_user


def test_a_grant_to_nobody_is_refused(postgres: PostgresServer, database_name: str) -> None:
    with pytest.raises(MigrationError, match="does not exist"):
        grant(url_of(postgres, database_name), "nobody_here")


def test_it_may_call_what_it_needs_where_not_everybody_may(
    postgres: PostgresServer, role: Role
) -> None:
    with run_database(postgres) as name:
        url = url_of(postgres, name)
        with psycopg.connect(url, autocommit=True) as connection:
            revoke = "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
            connection.execute(revoke)
            migrate(url)
            grant(url, role.name)
            with role.connect(postgres, name) as services:
                services.execute("SELECT make_log_partition(3), drop_log_partition('1 day')")
                services.execute("SELECT delete_old_logs('1 day', 10), fold_name('name')")
                services.execute("SELECT prune_audit(30, 10)")
