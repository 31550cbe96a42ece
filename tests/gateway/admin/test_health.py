"""How every part is, and what commands say where one is away."""

from uuid import uuid4

from devstack.processes import free_port
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.gateway.admin.commands import Admin
from tests.mailbox import run_mailbox
from tests.sql import run_sql
from tests.system import Stores

PARTS = {
    *("PostgreSQL", "migrations", "Redis", "files", "bridges", "router session", "master agent")
}


async def test_every_part_of_what_runs_is_well(admin: Admin) -> None:
    async with run_mailbox() as mailbox:
        mail = {"SMTP_URL": mailbox.url, "SMTP_FROM": "chat@example.com"}
        ended = await admin.soon("health", "--json", PUBLIC_URL="https://example.com", **mail)
    found = {each["part"]: each for each in ended.lines}
    assert found.keys() == {*PARTS, "mail"}
    assert ended.code == 0
    assert [part for part, each in found.items() if not each["is_well"]] == []
    assert found["migrations"]["says"].startswith("all ")
    assert found["bridges"]["says"].startswith("1 take requests: ")
    assert "connected to the router" in found["master agent"]["says"]


def test_each_part_that_is_away_is_named_and_the_others_are_looked_at(stores: Stores) -> None:
    with stores.environment() as environment:
        nobody = f"redis://127.0.0.1:{free_port()}"
        standby = f"postgresql://a:{uuid4()}@127.0.0.1:{free_port()}/c"
        others = {
            "REDIS_URL": nobody,
            "DATABASE_READ_URL": standby,
            "SMTP_URL": f"smtp://127.0.0.1:{free_port()}?starttls=false",
            "SMTP_FROM": "chat@example.com",
            "PUBLIC_URL": "https://example.com",
        }
        away = {**stores.of_services, **others, "DEFAULT_FILES_FOLDER_NAME": "nowhere"}
        ended = Admin({**environment, **away})("health", "--json")
    found = {each["part"]: each["is_well"] for each in ended.lines}
    assert ended.code == 1
    assert [part for part, is_well in found.items() if is_well] == [
        *("PostgreSQL", "migrations", "master agent"),
    ]
    assert found.keys() == {*PARTS, "standby", "mail"}


def test_without_postgresql_health_tells_and_others_end(admin: Admin) -> None:
    away = {"POSTGRES_PORT": str(free_port())}
    ended = admin("health", **away)
    assert ended.code == 1
    assert "PostgreSQL is away" in ended.out
    ended = admin("users", "list", **away)
    assert (ended.code, ended.out) == (5, "")
    assert ended.err.startswith(f"PostgreSQL at 127.0.0.1:{away['POSTGRES_PORT']} can't be used")


def test_migrations_that_are_not_applied_are_named(stores: Stores) -> None:
    with stores.environment() as environment:
        admin = Admin(environment)
        with run_sql(read_settings(environment, Settings)) as sql:
            sql("DELETE FROM _yoyo_migration WHERE migration_id = '0035-publications'")
            sql("DROP TABLE doors CASCADE")
        found = {each["part"]: each["says"] for each in admin("health", "--json").lines}
        assert found["migrations"] == "1 are not applied, the first is 0035-publications"
        ended = admin("agents", "doors")
        assert (ended.code, ended.out) == (5, "")
        assert "the migrations are not applied" in ended.err


def test_settings_that_are_missing_are_named(admin: Admin) -> None:
    ended = admin("users", "list", SECRET_KEY="")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "The settings are not complete: SECRET_KEY is missing.\n"
