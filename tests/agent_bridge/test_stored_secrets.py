"""Bridges know how many stored secrets are in older forms."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from databases import Database

from agent_bridge import metrics, stored_secrets
from agent_bridge.stored_secrets import StoredSecrets
from shared.postgres.pool import create_database
from shared.reencrypt.rows import reencrypt
from shared.secrets import Vault
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.shared.reencrypt.secrets_of import insert_somebody
from tests.sql import run_sql
from tests.users import eventually

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
VAULT = Vault([NEW, OLD])


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read_settings(environment, Settings)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


def insert_people(settings: Settings, number: int) -> None:
    with run_sql(settings) as sql:
        for _ in range(number):
            insert_somebody(sql, settings.secret_key, Vault([OLD]), in_clear=True)


async def told(known: StoredSecrets, wanted: int) -> None:
    """Wait until it tells so many."""

    async def tells() -> bool:
        return known.left == wanted

    await eventually(tells, f"{wanted} are told")


async def test_what_is_left_is_told_until_it_is_none(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_secrets, "SECONDS", 0.01)
    insert_people(settings, 2)
    known = StoredSecrets(database, VAULT)
    assert known.left is None
    watching = asyncio.create_task(known.watch())
    await told(known, 14)
    assert metrics.SECRETS_TO_REENCRYPT.labels("provider keys")._value.get() == 2
    await reencrypt(database, VAULT, lambda _: None)
    await told(known, 0)
    assert metrics.SECRETS_TO_REENCRYPT.labels("provider keys")._value.get() == 0
    watching.cancel()


async def test_of_many_only_some_are_counted(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_secrets, "COUNTED_LIMIT", 2)
    insert_people(settings, 3)
    known = StoredSecrets(database, VAULT)
    watching = asyncio.create_task(known.watch())
    await told(known, 14)
    watching.cancel()
