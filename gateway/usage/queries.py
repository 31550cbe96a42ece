"""Sums of usage and budgets in PostgreSQL."""

from datetime import date
from uuid import UUID

from databases.core import Connection

from gateway.usage.schemas import Budget, DayOfModel, Sums
from gateway.web.paging import Page, Slice, select_page
from shared.postgres.pool import columns
from shared.postgres.rows import builder


async def select_exists(connection: Connection, user_id: UUID) -> bool:
    """Whether there is such a user."""
    sql = "SELECT EXISTS (SELECT FROM users WHERE id = :user_id)"
    return bool(await connection.fetch_val(sql, {"user_id": user_id}))


async def select_days(
    connection: Connection, owner: UUID, first: date, last: date, part: Slice
) -> Page[DayOfModel]:
    """The owner's sums of each day and model, newest first."""
    sql = """
        SELECT day, model, requests, input_tokens, cached_tokens, output_tokens,
               CAST(price AS float8) AS price, unpriced_requests, 256 AS bytes
        FROM usage_days WHERE user_id = :owner AND day BETWEEN :first AND :last
        ORDER BY day DESC, model LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "first": first, "last": last}
    return await select_page(connection, sql, values, part, builder(DayOfModel))


async def select_total(connection: Connection, owner: UUID, first: date, last: date) -> Sums:
    """The owner's sums of these days."""
    sql = """
        SELECT CAST(coalesce(sum(requests), 0) AS bigint) AS requests,
               CAST(coalesce(sum(input_tokens), 0) AS bigint) AS input_tokens,
               CAST(coalesce(sum(cached_tokens), 0) AS bigint) AS cached_tokens,
               CAST(coalesce(sum(output_tokens), 0) AS bigint) AS output_tokens,
               CAST(sum(price) AS float8) AS price,
               CAST(coalesce(sum(unpriced_requests), 0) AS bigint) AS unpriced_requests
        FROM usage_days WHERE user_id = :owner AND day BETWEEN :first AND :last
    """
    row = await connection.fetch_one(sql, {"owner": owner, "first": first, "last": last})
    assert row is not None
    return Sums(**columns(row))


async def select_budget(connection: Connection, owner: UUID, of_all: float) -> Budget | None:
    """The owner's budget, or that of all, and what is spent of it; None: there is no bound."""
    sql = """
        SELECT usd AS monthly, spent_this_month(:owner) AS spent
        FROM (
            SELECT coalesce((SELECT usd FROM budgets WHERE user_id = :owner),
                            CAST(:of_all AS float8)) AS usd
        ) AS budget
        WHERE usd > 0
    """
    row = await connection.fetch_one(sql, {"owner": owner, "of_all": of_all})
    return Budget(**columns(row)) if row else None
