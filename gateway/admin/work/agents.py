"""Agents of all users, and where they are connected."""

from databases.core import Connection

from gateway.admin.work.finding import find_any
from gateway.admin.work.listing import Listed, Part, listed
from gateway.users import overseeing_queries
from gateway.users.overseeing import UserAgent


async def select_agents(
    connection: Connection, user: str | None, *, only_connected: bool, part: Part
) -> Listed[UserAgent]:
    """Agents, or those of a user, those that changed last first. Raises NotFoundError."""
    owner = await find_any(connection, user)
    found = await overseeing_queries.select_agents(
        connection, owner, part.slice, only_connected=only_connected
    )
    return listed(found, part)
