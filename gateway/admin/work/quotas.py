"""How near users are to their bounds, by the very counts that the gateway refuses by."""

from collections.abc import Iterable
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.a2a.queries import AGENTS as A2A_AGENTS
from gateway.admin.work.finding import find_user
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part
from gateway.agents.queries import AGENTS
from gateway.flows.queries import FLOWS
from gateway.groups.queries import GROUPS
from gateway.keys.queries import KEYS
from gateway.llms.queries import CONFIGS, PROVIDERS
from gateway.mcp.queries import SERVERS
from gateway.published.queries import PUBLICATIONS
from gateway.web.quotas import Quota
from shared.postgres.pool import columns

OPEN_REQUESTS = Quota(
    "open requests",
    lambda settings: settings.open_requests_per_user,
    """
    SELECT count(*) FROM requests
    WHERE creator_id = :owner AND status IN ('queued', 'running')
    """,
)
FILE_BYTES = Quota(
    "bytes of files",
    lambda settings: settings.files_bytes_per_user,
    "SELECT coalesce((SELECT bytes FROM file_totals WHERE user_id = :owner), 0)",
)
QUOTAS = (
    *(AGENTS, FLOWS, SERVERS, A2A_AGENTS, PROVIDERS, CONFIGS, PUBLICATIONS, KEYS, GROUPS),
    *(OPEN_REQUESTS, FILE_BYTES),
)


@frozen(slots=False)
class Use:
    """How much a user has of what he may have; most and percent are None where all is allowed."""

    what: str
    used: int
    most: int | None
    percent: float | None


@frozen(slots=False)
class UserUse:
    """The same with the user."""

    user_id: UUID
    username: str
    what: str
    used: int
    most: int
    percent: float


async def count_of(connection: Connection, quota: Quota, owner: UUID) -> int:
    """How many of the kind a user has."""
    return int(await connection.fetch_val(quota.count, {"owner": owner}))


async def select_uses(on: Installation, user: str) -> Listed[Use]:
    """What a user has of each kind that is bounded. Raises NotFoundError."""
    uses = []
    async with on.connection() as connection:
        owner = await find_user(connection, user)
        for quota in QUOTAS:
            used, most = await count_of(connection, quota, owner), quota.most(on.settings) or None
            uses.append(Use(quota.things, used, most, 100 * used / most if most else None))
    return Listed(uses)


async def select_near(on: Installation, percent: float, part: Part) -> Listed[UserUse]:
    """Users who have at least so much of a bound, who has most of it first."""
    wanted = part.offset + part.limit + 1
    near: list[UserUse] = []
    async with on.connection() as connection:
        for quota in QUOTAS:
            if most := quota.most(on.settings):
                near += await _select_near(connection, quota, most, percent, wanted)
    near.sort(key=lambda use: -use.percent)
    has_more = len(near) >= wanted
    things = near[part.offset : part.offset + part.limit]
    return Listed(things, part.offset + part.limit if has_more else None)


async def _select_near(
    connection: Connection, quota: Quota, most: int, percent: float, limit: int
) -> Iterable[UserUse]:
    sql = f"""
        SELECT users.id AS user_id, username, used
        FROM users CROSS JOIN LATERAL (
            SELECT ({quota.count.replace(":owner", "users.id")}) AS used OFFSET 0
        ) AS counted
        WHERE used >= :least ORDER BY used DESC, users.id LIMIT :limit
    """  # noqa: S608 (constants of ours)
    values = {"least": max(1, -int(-most * percent // 100)), "limit": limit}
    rows = await connection.fetch_all(sql, values)
    return [
        UserUse(**columns(row), what=quota.things, most=most, percent=100 * row["used"] / most)
        for row in rows
    ]
