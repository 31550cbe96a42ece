"""Whether a process is alive, and whether it is ready: each dependency by name."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from databases import Database
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.database import DatabaseAwayError, connect

CHECK_SECONDS = 3.0

type Check = Callable[[], Awaitable[bool]]


def health_routes(
    checks: Callable[[Request], Mapping[str, Check]], dispensable: Collection[str] = ()
) -> list[BaseRoute]:
    """`/health`: the process answers. `/ready`: so does what it needs, or 503.

    What is dispensable is named all the same: without it work goes on, only slower.
    """

    async def read_health(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def read_readiness(request: Request) -> Response:
        named = checks(request)
        answers = await asyncio.gather(*(_holds(check) for check in named.values()))
        states = dict(zip(named, answers, strict=True))
        missing = {name for name, holds in states.items() if not holds}
        return JSONResponse(states, 503 if missing.difference(dispensable) else 200)

    return [Route("/health", read_health), Route("/ready", read_readiness)]


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False


async def database_answers(database: Database) -> bool:
    """Whether PostgreSQL answers a statement."""
    try:
        async with connect(database) as connection:
            return bool(await connection.fetch_val("SELECT true"))
    except DatabaseAwayError:
        return False
