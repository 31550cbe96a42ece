"""Users' monthly budgets, and what is spent of them."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError
from gateway.admin.work.finding import find_user
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, select_listed
from shared.postgres.pool import columns


@frozen(slots=False)
class UserBudget:
    """A user's USD of this month, by UTC; of no budget there is no most and no percent."""

    user_id: UUID
    username: str
    spent: float
    monthly: float | None
    percent: float | None
    is_own: bool
    """Whether it stands in place of MONTHLY_BUDGET."""


OF_USERS = """
    SELECT users.id AS user_id, username, CAST(spent AS float8) AS spent,
           CAST(nullif(budget.usd, 0) AS float8) AS monthly,
           CAST(100 * spent / nullif(budget.usd, 0) AS float8) AS percent,
           own.usd IS NOT NULL AS is_own
    FROM users
    LEFT JOIN budgets AS own ON own.user_id = users.id
    LEFT JOIN (
        SELECT user_id, sum(price) AS price FROM usage_days
        WHERE day >= CAST(date_trunc('month', timezone('utc', now())) AS date)
        GROUP BY user_id
    ) AS used ON used.user_id = users.id
    CROSS JOIN LATERAL (
        SELECT coalesce(price, 0) AS spent, coalesce(own.usd, CAST(:of_all AS numeric)) AS usd
    ) AS budget
"""


async def select_budgets(on: Installation, percent: float, part: Part) -> Listed[UserBudget]:
    """Of who has spent something or has one of his own; who has spent most of it comes first."""
    sql = f"""
        {OF_USERS}
        WHERE (spent > 0 OR own.usd IS NOT NULL)
          AND (CAST(:percent AS float8) = 0 OR 100 * spent / nullif(budget.usd, 0) >= :percent)
        ORDER BY percent DESC NULLS LAST, spent DESC, users.id LIMIT :limit OFFSET :offset
    """
    values = {"of_all": on.settings.monthly_budget, "percent": percent}
    async with on.connection() as connection:
        return await select_listed(connection, UserBudget, sql, values, part)


async def read_budget(on: Installation, user: str) -> UserBudget:
    """A user's. Raises NotFoundError."""
    async with on.connection() as connection:
        return await _select(on, connection, await find_user(connection, user))


async def set_budget(on: Installation, user: str, usd: float) -> UserBudget:
    """Give a user one of his own; 0 is none. Raises NotFoundError."""
    sql = """
        INSERT INTO budgets (user_id, usd) VALUES (:user_id, :usd)
        ON CONFLICT (user_id) DO UPDATE SET usd = excluded.usd
    """
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        await connection.execute(sql, {"user_id": user_id, "usd": usd})
        return await _select(on, connection, user_id)


async def clear_budget(on: Installation, user: str) -> UserBudget:
    """Give a user that of all. Raises NotFoundError."""
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        sql = "DELETE FROM budgets WHERE user_id = :user_id"
        await connection.execute(sql, {"user_id": user_id})
        return await _select(on, connection, user_id)


@frozen(slots=False)
class GroupBudget:
    """What a group's members may spend together in a month, in USD; of none there is no most."""

    group_id: UUID
    name: str
    members: int
    spent: float
    monthly: float | None


OF_GROUPS = """
    SELECT groups.id AS group_id, name,
           (SELECT count(*) FROM group_members
            WHERE group_id = groups.id AND role <> 'invited') AS members,
           spent_by_group_this_month(groups.id) AS spent, nullif(usd, 0) AS monthly
    FROM groups LEFT JOIN budgets ON group_id = groups.id
"""


async def select_group_budgets(on: Installation, part: Part) -> Listed[GroupBudget]:
    """Of groups that have one; the largest come first."""
    sql = f"{OF_GROUPS} WHERE usd > 0 ORDER BY usd DESC, groups.id LIMIT :limit OFFSET :offset"
    async with on.connection() as connection:
        return await select_listed(connection, GroupBudget, sql, {}, part)


async def set_group_budget(on: Installation, group_id: UUID, usd: float) -> GroupBudget:
    """Give a group one; 0 is none. Raises NotFoundError."""
    sql = """
        INSERT INTO budgets (group_id, usd) SELECT id, :usd FROM groups WHERE id = :group_id
        ON CONFLICT (group_id) DO UPDATE SET usd = excluded.usd
    """
    async with on.acting() as connection:
        await connection.execute(sql, {"group_id": group_id, "usd": usd})
        row = await connection.fetch_one(f"{OF_GROUPS} WHERE groups.id = :id", {"id": group_id})
    if row is None:
        raise NotFoundError(f"There is no group with the id {group_id}.")
    return GroupBudget(**columns(row))


async def _select(on: Installation, connection: Connection, user_id: UUID) -> UserBudget:
    sql = f"{OF_USERS} WHERE users.id = :id"
    values = {"of_all": on.settings.monthly_budget, "id": user_id}
    row = await connection.fetch_one(sql, values)
    if row is None:
        raise NotFoundError(f"User {user_id} was deleted meanwhile.")
    return UserBudget(**columns(row))
