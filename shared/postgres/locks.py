"""Advisory locks: what only one process of all may do. One is freed when its connection ends.

And the connections apart from the pool that they need."""

import asyncpg

from shared.postgres.connecting import connect_first
from shared.settings.common import CommonSettings

# Any numbers, as long as they differ and no other code locks by them.
MIGRATION_LOCK = 5_102_637_841
LEADER_LOCK = 5_102_637_842
REFRESH_LOCK = 5_102_637_843
RETENTION_LOCK = 5_102_637_844

STATEMENT_SECONDS = 3.0

APART_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked while the server that was killed hangs up
)
"""What such a connection raises when it, or its lock, can't be had or kept."""


async def connect_apart(
    settings: CommonSettings, purpose: str, **server_settings: str
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside the pool: for a lock, which ends with it, or to ask while that is busy.

    End it with `terminate()`: that frees a lock also where a polite end would hang.
    """
    return await connect_first(
        timeout=STATEMENT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        **settings.postgres.for_asyncpg(purpose, **server_settings),
    )
