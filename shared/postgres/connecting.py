"""Connecting to the first of several hosts that will do, whatever the others are silent for."""

from collections.abc import Sequence
from typing import Any

import asyncpg

# What makes another host worth a try: this one is away, starts, or is not what was asked for.
_NEXT = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.TargetServerAttributeNotMatched,
)


async def connect_first(
    dsn: str | None = None,
    *,
    host: Sequence[str],
    port: Sequence[int],
    timeout: float,  # noqa: ASYNC109 (asyncpg's own, and shared among the hosts)
    **options: Any,
) -> Any:
    """asyncpg's `connect`, connection and all, where each host has its share of the seconds.

    Its own would wait for a host that swallows what it is sent until there is no time for another.
    Raises what the last one did.
    """
    *others, last = zip(host, port, strict=True)
    share = timeout / len(host)
    for name, number in others:
        try:
            return await asyncpg.connect(dsn, host=name, port=number, timeout=share, **options)
        except _NEXT:
            continue
    name, number = last
    return await asyncpg.connect(dsn, host=name, port=number, timeout=share, **options)
