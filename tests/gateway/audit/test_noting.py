"""Failures that are counted, and secrets that are encrypted anew, in a database of their own."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from databases import Database

from gateway.audit.failures import COUNTED_SECONDS, Failures
from gateway.audit.noting import Actor
from shared.postgres.pool import DatabaseAwayError, columns, connect, create_database
from shared.reencrypt.queries import PROVIDER_KEYS, update_some
from shared.settings.installation import Settings

ACTOR = Actor("api", address="2001:db8::1")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


async def entries_of(database: Database, owner: UUID) -> list[dict[str, Any]]:
    sql = "SELECT action, via, address, details FROM audit WHERE owner_id = :owner ORDER BY id"
    async with connect(database) as connection:
        return [columns(row) for row in await connection.fetch_all(sql, {"owner": owner})]


async def counts_of(database: Database, owner: UUID) -> list[int]:
    return [each["details"]["count"] for each in await entries_of(database, owner)]


async def test_failures_after_the_first_are_counted_by_user_and_network(
    database: Database,
) -> None:
    failures, user, other = Failures(database), uuid4(), uuid4()
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"):
        await failures.note(evolve(ACTOR, address=address), user, "password", "wrong")
    await failures.note(ACTOR, other, "password", "wrong")
    assert await counts_of(database, user) == [1, 1]
    await failures.flush(0.0)  # the minute is not over
    assert await counts_of(database, user) == [1, 1]
    await failures.flush()
    assert await counts_of(database, user) == [1, 1, 2]
    await failures.flush()
    assert (await counts_of(database, user), await counts_of(database, other)) == ([1, 1, 2], [1])
    assert COUNTED_SECONDS == 60


async def test_what_could_not_be_noted_is_noted_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, user = Failures(database), uuid4()

    async def away(*_: object) -> None:
        raise DatabaseAwayError("away")

    with monkeypatch.context() as patch:
        patch.setattr(failures, "_add", away)
        with pytest.raises(DatabaseAwayError):
            await failures.note(ACTOR, user, "password", "wrong")
        await failures.flush()
    await failures.flush()
    assert await counts_of(database, user) == [1]


async def test_a_secret_that_is_encrypted_anew_is_told_from_another_one(
    database: Database,
) -> None:
    user, provider = uuid4(), uuid4()
    async with connect(database) as connection:
        values = {"user": user, "name": str(user), "provider": provider}
        await connection.execute(
            """
            WITH added AS (
                INSERT INTO users (id, username, password) VALUES (:user, :name, '-') RETURNING id
            )
            INSERT INTO modelproviders (id, name, api_key, provider_metadata, creator_id)
            SELECT CAST(:provider AS uuid), 'p', 'old', '{}', id FROM added
            """,
            values,
        )
        await update_some(connection, PROVIDER_KEYS, [provider], ["new"])
    *_, last = await entries_of(database, user)
    assert (last["action"], last["via"]) == ("secret.reencrypted", "command")
    assert last["details"] == {"fields": ["api_key"]}
