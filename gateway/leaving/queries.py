"""Deletions of accounts in PostgreSQL."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record

from gateway.leaving.deletion import Deletion
from gateway.leaving.steps import OPEN_REQUESTS
from gateway.web.paging import Page, Slice, select_page
from shared.domain.endings import OpenRequest
from shared.postgres.pool import columns
from shared.postgres.rows import builder

KEPT = timedelta(days=30)  # after its end
DONE = "done"

_build = builder(Deletion)


@frozen
class Claimed:
    """A deletion that is this transaction's alone."""

    user_id: UUID
    step: str
    actor: Mapping[str, Any]


async def insert_deletion(
    connection: Connection, user_id: UUID, actor: Mapping[str, Any]
) -> Deletion | None:
    """Mark a user as one who leaves, and lock him out; None: there is no such user.

    One that is under way goes on. A trigger ends his sign-ins; `end_sign_ins` before says which.
    """
    sql = """
        WITH leaving AS (
            UPDATE users SET locked_at = coalesce(locked_at, now())
            WHERE id = :user_id RETURNING id
        ), added AS (
            INSERT INTO account_deletions AS deletion (user_id, step, actor)
            SELECT id, :step, CAST(:actor AS jsonb) FROM leaving
            ON CONFLICT (user_id) DO UPDATE SET step = deletion.step
            RETURNING *
        )
        SELECT user_id, step, counts, since, ended_at FROM added
    """
    values = {"user_id": user_id, "step": OPEN_REQUESTS, "actor": actor}
    row = await connection.fetch_one(sql, values)
    return _build(row) if row else None


async def close_doors(connection: Connection, user_id: UUID) -> list[UUID]:
    """End the tokens of a user's agents, and take back what he publishes and shares.

    The ids of the agents, which are to be told.
    """
    for sql in (
        "DELETE FROM publications WHERE creator_id = :user_id",
        "DELETE FROM shares WHERE owner_id = :user_id",
    ):
        await connection.execute(sql, {"user_id": user_id})
    agents = """
        UPDATE agents SET jwt = 'revoked ' || id, is_active = false
        WHERE creator_id = :user_id RETURNING id
    """
    return [row["id"] for row in await connection.fetch_all(agents, {"user_id": user_id})]


async def select_open_requests(
    connection: Connection, user_id: UUID, most: int
) -> list[OpenRequest]:
    """Some of a user's that wait or run: those that wait first, or they would run next."""
    sql = """
        SELECT id, status, claim_id FROM requests
        WHERE creator_id = :user_id AND status IN ('queued', 'running')
        ORDER BY status, position LIMIT :most
    """
    rows = await connection.fetch_all(sql, {"user_id": user_id, "most": most})
    return [OpenRequest(**columns(row)) for row in rows]


async def claim_deletion(connection: Connection, user_id: UUID | None) -> Claimed | None:
    """One that has not ended and that nobody works on, or that of this user, until the transaction
    ends: with a process its claim is over, and the next one goes on."""
    sql = """
        SELECT user_id, step, actor FROM account_deletions
        WHERE ended_at IS NULL AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
        ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED
    """
    row = await connection.fetch_one(sql, {"user_id": user_id})
    return Claimed(**columns(row)) if row else None


async def update_deletion(
    connection: Connection, user_id: UUID, step: str, counts: Mapping[str, int]
) -> Deletion:
    """Note how far it is, with what has been removed since the last time."""
    sql = """
        UPDATE account_deletions SET
            step = :step, ended_at = CASE WHEN :step = :done THEN now() END,
            counts = (
                SELECT coalesce(jsonb_object_agg(kind, number), '{}') FROM (
                    SELECT kind, sum(CAST(number AS bigint)) AS number FROM (
                        SELECT * FROM jsonb_each_text(counts)
                        UNION ALL
                        SELECT * FROM jsonb_each_text(CAST(:counts AS jsonb))
                    ) AS each (kind, number) GROUP BY kind
                ) AS summed
            )
        WHERE user_id = :user_id
        RETURNING user_id, step, counts, since, ended_at
    """
    values = {"user_id": user_id, "step": step, "done": DONE, "counts": dict(counts)}
    row = await connection.fetch_one(sql, values)
    assert row is not None, "it is claimed"
    return _build(row)


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """Delete a user's own row. In its transaction the caller notes that himself, and better."""
    sql = "SELECT set_config('genai.noted', 'user.deleted', true)"
    await connection.execute(sql)
    await connection.execute("DELETE FROM users WHERE id = :user_id", {"user_id": user_id})


async def select_deletion(connection: Connection, user_id: UUID) -> Deletion | None:
    """How far one is."""
    sql = """
        SELECT user_id, step, counts, since, ended_at
        FROM account_deletions WHERE user_id = :user_id
    """
    row = await connection.fetch_one(sql, {"user_id": user_id})
    return _build(row) if row else None


async def select_deletions(connection: Connection, part: Slice) -> Page[Deletion]:
    """Those that go on or have ended lately, newest first."""
    sql = """
        SELECT user_id, step, counts, since, ended_at, 1024 AS bytes
        FROM account_deletions ORDER BY since DESC, user_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {}, part, _row)


def _row(row: Record) -> Deletion:
    return _build(row)


async def forget_deletions(connection: Connection) -> None:
    """Forget those that ended long ago."""
    sql = "DELETE FROM account_deletions WHERE ended_at < now() - CAST(:kept AS interval)"
    await connection.execute(sql, {"kept": KEPT})
