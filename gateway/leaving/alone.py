"""What a user does once at a time, in all gateways together."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from gateway.web.call import Call
from gateway.web.errors import TooManyRequestsError
from shared.postgres.leases import Lease, give_lease_back, take_lease
from shared.postgres.pool import connect

GOOD_SECONDS = 180.0  # also while a piece is waited for that a client does not take
RENEW_SECONDS = 30.0
NO_LOCK = 0  # no older version knows of it
RETRY_SECONDS = 10


@asynccontextmanager
async def alone(call: Call[Any, Any], what: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Be the only one who does it in this user's name; what is given is to be called on and on.

    Raises TooManyRequestsError.
    """
    lease = Lease(f"{what} of {call.user_id}", GOOD_SECONDS, NO_LOCK)
    renewed_at = monotonic()

    async def keep() -> None:
        nonlocal renewed_at
        if monotonic() - renewed_at > RENEW_SECONDS:
            renewed_at = monotonic()
            async with connect(call.database) as connection:
                await take_lease(connection, lease)

    async with connect(call.database) as connection:
        if await take_lease(connection, lease) is not None:
            detail = f"There is an {what} of yours already: one at a time"
            raise TooManyRequestsError(detail, RETRY_SECONDS, f"an {what} was refused: one goes on")
    try:
        yield keep
    finally:
        async with connect(call.database) as connection:
            await give_lease_back(connection, lease)
