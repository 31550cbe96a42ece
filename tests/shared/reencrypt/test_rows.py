"""Secrets of whatever form are brought to that of the newest key, beside everything else."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from databases import Database

from shared.domain.grants import open_grant
from shared.domain.headers import open_headers
from shared.domain.options import CREDENTIALS, METADATA, open_options
from shared.postgres.pool import connect, create_database
from shared.reencrypt import rows
from shared.reencrypt.queries import KINDS, count_left, select_has_begun
from shared.reencrypt.rows import Outcome, reencrypt
from shared.secrets import UndecryptableError, Vault
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.tokens import Claims, read_token, restore_token, select_is_current
from tests.sql import Sql, run_sql
from tests.users import eventually

from .secrets_of import Somebody, insert_somebody, select_stored

OLD_KEY, NEW_KEY = secrets.token_bytes(32), secrets.token_bytes(32)
OF_SERVERS = "headers of MCP servers", "headers of A2A agents", "grants of MCP servers"
OLD, BOTH, NEW = Vault([OLD_KEY]), Vault([NEW_KEY, OLD_KEY]), Vault([NEW_KEY])


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read_settings(environment, Settings)


@pytest.fixture
def rows_of(settings: Settings) -> Iterator[Sql]:
    with run_sql(settings) as sql:
        sql("DELETE FROM sealing")  # as a database of an earlier version is after its migration
        yield sql


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


@pytest.fixture
def people(rows_of: Sql, settings: Settings) -> list[Somebody]:
    """Two with everything under the old key, and two with what earlier services had in clear."""
    key = settings.secret_key
    return [
        insert_somebody(rows_of, key, OLD, in_clear=in_clear)
        for in_clear in (True, False, True, False)
    ]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH", 3)


async def run(database: Database, vault: Vault = BOTH) -> Outcome:
    return await reencrypt(database, vault, lambda _: None)


async def left(database: Database, vault: Vault = NEW) -> dict[str, int]:
    async with connect(database) as connection:
        return {kind.what: await count_left(connection, kind, vault.newest, 1000) for kind in KINDS}


def opened(sql: Sql, one: Somebody, vault: Vault) -> tuple[object, ...]:
    """The key, options and headers that are stored of somebody."""
    [provider] = sql("SELECT * FROM modelproviders WHERE id = %s", one.provider)
    [config] = sql("SELECT * FROM modelconfigs WHERE id = %s", one.config)
    [server] = sql("SELECT * FROM mcpservers WHERE id = %s", one.server)
    [card] = sql("SELECT * FROM a2acards WHERE id = %s", one.card)
    return (
        vault.decrypt(provider["api_key"], "modelproviders", one.provider, "api_key"),
        open_options(vault, METADATA, one.provider, provider["provider_metadata"]),
        open_options(vault, CREDENTIALS, one.config, config["credentials"]),
        open_headers(vault, "mcpservers", one.server, server["headers"]),
        open_headers(vault, "a2acards", one.card, card["headers"]),
        open_grant(vault, one.server, server["oauth"]),
    )


def all_of(one: Somebody) -> tuple[object, ...]:
    return one.key, one.metadata, one.credentials, one.headers, one.headers, one.grant


async def test_afterwards_the_old_key_is_not_needed(
    database: Database, rows_of: Sql, people: list[Somebody]
) -> None:
    outcome = await run(database)
    renewed = {"provider keys": 4, "metadata": 4, "credentials": 4, "tokens": 2}
    assert outcome == Outcome(renewed | dict.fromkeys(OF_SERVERS, 4), [], [])
    for one in people:
        assert opened(rows_of, one, NEW) == all_of(one)


async def test_nothing_is_left_in_clear(
    database: Database, rows_of: Sql, people: list[Somebody], settings: Settings
) -> None:
    await run(database)
    stored = "\n".join(select_stored(rows_of, people))
    for one in people:
        options = one.metadata | one.credentials | one.headers
        hidden = one.key, *options.values(), *one.grant.secrets
        assert [secret for secret in hidden if secret in stored] == []
    tokens = [text for text in stored.split("\n") if text.startswith("ey")]
    assert len(tokens) == 4
    assert [read_token(settings.secret_key, token) for token in tokens] == [None] * 4


async def test_agents_keep_their_tokens(
    database: Database, rows_of: Sql, people: list[Somebody], settings: Settings
) -> None:
    one, key = people[0], settings.secret_key
    [before] = rows_of("SELECT jwt FROM agents WHERE id = %s", one.agent)
    await run(database)
    [after] = rows_of("SELECT jwt FROM agents WHERE id = %s", one.agent)
    assert after["jwt"] != before["jwt"]
    assert restore_token(key, one.owner, one.agent, after["jwt"]) == before["jwt"]
    async with connect(database) as connection:
        claims = Claims(one.owner, one.agent)
        assert await select_is_current(connection, claims, before["jwt"])


async def test_what_is_left_is_counted_and_then_nothing(
    database: Database, people: list[Somebody]
) -> None:
    assert await left(database, OLD) == {
        "provider keys": 0,
        "metadata": 2,
        "credentials": 2,
        "tokens": 2,
        **dict.fromkeys(OF_SERVERS, 0),
    }
    assert sum((await left(database)).values()) == 6 * len(people) + 2
    await run(database)
    assert sum((await left(database)).values()) == 0


async def test_once_more_it_changes_nothing(
    database: Database, rows_of: Sql, people: list[Somebody]
) -> None:
    await run(database)
    before = select_stored(rows_of, people)
    assert sum((await run(database)).renewed.values()) == 0
    assert select_stored(rows_of, people) == before


async def test_from_then_on_services_store_nothing_in_clear(
    database: Database, rows_of: Sql
) -> None:
    async with connect(database) as connection:
        assert not await select_has_begun(connection)
        await run(database)
        assert await select_has_begun(connection)
    await run(database)
    assert rows_of("SELECT count(*) AS number FROM sealing") == [{"number": 1}]


async def test_no_options_are_stored_as_they_are(database: Database, rows_of: Sql) -> None:
    one = Somebody(metadata={}, credentials={})
    rows_of("INSERT INTO users (id, username, password) VALUES (%s, 'u', '-')", one.owner)
    rows_of(
        "INSERT INTO modelproviders VALUES (%s, 'ollama', NULL, '{ }', %s)", one.provider, one.owner
    )
    assert (await run(database)).unreadable == []
    [provider] = rows_of("SELECT api_key, provider_metadata FROM modelproviders")
    assert provider == {"api_key": None, "provider_metadata": {}}


async def test_what_no_key_opens_is_named_and_stays_and_the_rest_goes_on(
    database: Database, rows_of: Sql, people: list[Somebody], settings: Settings
) -> None:
    lost = insert_somebody(rows_of, settings.secret_key, Vault([b"x" * 32]), in_clear=False)
    before = select_stored(rows_of, [lost])
    outcome = await run(database)
    assert sorted(outcome.unreadable) == sorted(
        [
            f"modelproviders.api_key of {lost.provider} can't be decrypted",
            f"modelproviders.provider_metadata of {lost.provider} can't be decrypted",
            f"modelconfigs.credentials of {lost.config} can't be decrypted",
            f"mcpservers.headers.authorization of {lost.server} can't be decrypted",
            f"a2acards.headers.authorization of {lost.card} can't be decrypted",
            f"mcpservers.oauth of {lost.server} can't be decrypted",
        ]
    )
    assert select_stored(rows_of, [lost]) == before
    assert opened(rows_of, people[0], NEW)[0] == people[0].key
    assert sum((await left(database)).values()) == 6


async def test_what_was_moved_or_damaged_is_named(
    database: Database, rows_of: Sql, people: list[Somebody]
) -> None:
    sealed, other = people[1], people[3]
    rows_of(
        "UPDATE modelconfigs SET credentials = (SELECT credentials FROM modelconfigs WHERE id = %s)"
        " WHERE id = %s",
        *(sealed.config, other.config),
    )
    rows_of(
        "UPDATE modelproviders SET provider_metadata = '\"damaged\"' WHERE id = %s", sealed.provider
    )
    rows_of(
        "UPDATE agents SET jwt = (SELECT jwt || '.x' FROM agents WHERE id = %s) WHERE id = %s",
        *(other.agent, sealed.agent),
    )
    assert sorted((await run(database)).unreadable) == sorted(
        [
            f"modelconfigs.credentials of {other.config} can't be decrypted",
            f"modelproviders.provider_metadata of {sealed.provider} can't be decrypted",
            f"agents.jwt of {sealed.agent} is not its token",
        ]
    )
    with pytest.raises(UndecryptableError):
        opened(rows_of, other, BOTH)


async def test_several_at_once_do_it_once(
    database: Database, rows_of: Sql, settings: Settings
) -> None:
    people = [insert_somebody(rows_of, settings.secret_key, OLD, in_clear=True) for _ in range(40)]
    outcomes = await asyncio.gather(*(asyncio.create_task(run(database)) for _ in range(3)))
    for what in ("provider keys", "metadata", "credentials", "tokens", *OF_SERVERS):
        assert sum(outcome.renewed[what] for outcome in outcomes) == len(people)
    assert all(outcome.unreadable == outcome.held == [] for outcome in outcomes)
    assert [opened(rows_of, one, NEW)[0] for one in people] == [one.key for one in people]


async def test_rows_that_others_hold_are_left_for_later(
    database: Database, rows_of: Sql, people: list[Somebody], settings: Settings
) -> None:
    with psycopg.connect(settings.database_url) as holder:
        holder.execute("UPDATE agents SET name = 'held' WHERE id = %s", [people[0].agent])
        holder.execute("UPDATE modelproviders SET name = name WHERE id = %s", [people[0].provider])
        running = asyncio.create_task(run(database))

        async def is_held() -> bool:
            return (await left(database))["provider keys"] == 1

        await eventually(is_held, "all keys but that one")
        assert not running.done()
        holder.commit()
        outcome = await running
    assert (outcome.unreadable, outcome.held) == ([], [])
    assert sum((await left(database)).values()) == 0
    assert rows_of("SELECT name FROM agents WHERE id = %s", people[0].agent) == [{"name": "held"}]


async def test_rows_that_others_hold_for_too_long_are_named(
    database: Database,
    people: list[Somebody],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "PATIENCE_SECONDS", 0.1)
    with psycopg.connect(settings.database_url) as holder:
        holder.execute("UPDATE agents SET name = 'held' WHERE id = %s", [people[0].agent])
        outcome = await run(database)
    assert outcome.held == ["1 tokens are held by others"]
    assert outcome.renewed["tokens"] == 1
