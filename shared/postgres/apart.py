"""Connections apart from the pool: each is for one purpose, and may be had while that is busy."""

import asyncpg

from shared.postgres.connecting import connect_first
from shared.postgres.poolers import DIRECT, ZONE, Front, ServerConnection, find_front
from shared.settings.common import CommonSettings

STATEMENT_SECONDS = 3.0

APART_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked while the server that was killed hangs up
)
"""What such a connection raises when it can't be had or kept."""


async def connect_apart(settings: CommonSettings, purpose: str) -> ServerConnection:
    """A connection outside the pool, to ask while that is busy. End it with `terminate()`."""
    connection: ServerConnection = await connect_first(
        timeout=STATEMENT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        connection_class=ServerConnection,
        **settings.postgres.for_asyncpg(purpose, timezone=ZONE),
    )
    try:
        await connection.find_pooler()
    except BaseException:
        connection.terminate()
        raise
    return connection


async def look_before(settings: CommonSettings, connection: ServerConnection) -> Front:
    """What stands before PostgreSQL, by a connection that does nothing else and one more.

    Raises PoolerError, and APART_ERRORS.
    """
    if not connection.is_pooled:
        return DIRECT
    other = await connect_apart(settings, "look")
    try:
        return await find_front(connection, other)
    finally:
        other.terminate()
