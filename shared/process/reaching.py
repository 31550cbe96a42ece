"""Waiting for PostgreSQL to let in, before anything is built on it."""

import asyncio
import ssl
from time import monotonic

import asyncpg

from shared.postgres.connecting import connect_first
from shared.settings.postgres import PostgresAddress

CONNECT_SECONDS = 5.0
RETRY_SECONDS = 0.1

# What it says, or who is to lead to it, before it has started.
_NOT_YET = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.TargetServerAttributeNotMatched,  # until one of the hosts takes over
)


async def reach_postgres(address: PostgresAddress, seconds: float) -> Exception | None:
    """None once it lets in; else what kept us out for so long, or what no waiting changes."""
    end = monotonic() + seconds
    while True:
        try:
            connection = await connect_first(timeout=CONNECT_SECONDS, **address.for_asyncpg())
        except ssl.SSLCertVerificationError as error:
            return error
        except _NOT_YET as error:
            if monotonic() > end:
                return error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return error
        else:
            connection.terminate()
            return None
        await asyncio.sleep(RETRY_SECONDS)
