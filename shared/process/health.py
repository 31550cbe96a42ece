"""Whether a process is alive, and whether it is ready: each dependency by name."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import perf_counter
from typing import Any

from attrs import define, field
from databases import Database
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared import VERSION
from shared.codec.converter import unstructure
from shared.postgres.apart import APART_ERRORS, connect_apart, look_before
from shared.postgres.poolers import Front, PoolerError, ServerConnection
from shared.postgres.statements import DirectDatabase
from shared.process.drain import Drain
from shared.settings.common import CommonSettings

CHECK_SECONDS = 3.0

type Check = Callable[[], Awaitable[bool | str]]
"""Whether something is up, or a word that says why it is not."""
type Json = dict[str, Any]


@define
class Readiness:
    """What a process needs to work, and looks at when it is asked, once for all who ask.

    What is dispensable is named all the same: without it work goes on, only slower or in part.
    `facts` are told besides and decide nothing.
    """

    drain: Drain
    checks: Mapping[str, Check]
    dispensable: Collection[str] = ()
    facts: Callable[[], Mapping[str, object]] = dict
    _looking: asyncio.Task[dict[str, Json]] | None = field(default=None, init=False)

    async def answer(self) -> Response:
        """200, or 503 while something indispensable is away or the process goes down."""
        if self.drain.has_begun:
            return JSONResponse({"draining": True, "version": VERSION}, 503)
        found = await self.look()
        missing = {name for name, state in found.items() if not state["is_up"]}
        status = 503 if missing.difference(self.dispensable) else 200
        return JSONResponse(
            {"draining": False, "version": VERSION, **found, **self.facts()}, status
        )

    async def look(self) -> dict[str, Json]:
        """What each check finds: whether it `is_up`, in how many `ms`, and perhaps `why` not."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)  # others wait for it too

    async def _look(self) -> dict[str, Json]:
        states = await asyncio.gather(*(_time(check) for check in self.checks.values()))
        return dict(zip(self.checks, states, strict=True))


def health_routes() -> list[BaseRoute]:
    """`/health`: the process answers. `/ready`: what `readiness` of its state finds."""

    async def read_health(_request: Request) -> Response:
        return JSONResponse({"status": "alive", "version": VERSION})

    async def read_readiness(request: Request) -> Response:
        readiness: Readiness = request.state["readiness"]
        return await readiness.answer()

    return [Route("/health", read_health), Route("/ready", read_readiness)]


async def _time(check: Check) -> Json:
    began = perf_counter()
    found = await _answer(check)
    why = {"why": found} if isinstance(found, str) else {}
    return {"is_up": found is True, "ms": round(1000 * (perf_counter() - began), 1), **why}


async def _answer(check: Check) -> bool | str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False


class DatabaseProbe:
    """Asks PostgreSQL whether it answers, on a connection beside the pool: that may be busy."""

    def __init__(self, settings: CommonSettings, database: Database) -> None:
        assert isinstance(database, DirectDatabase)
        self._settings = settings
        self._pulse = database.pulse
        self._connection: ServerConnection | None = None
        self._front: Front | None = None

    def describe(self) -> dict[str, object]:
        """What stands before PostgreSQL, as far as it is known."""
        return {"pooler": None if self._front is None else unstructure(self._front)}

    async def answers(self) -> bool | str:
        """Whether it answers, and the pool's statements succeed. One caller at a time."""
        try:
            if self._connection is None:
                self._connection = await connect_apart(self._settings, "readiness")
            if self._front is None:
                self._front = await look_before(self._settings, self._connection)
            await self._connection.fetchval("SELECT $1::int", 1)
        except PoolerError as error:
            self.close()
            return str(error)
        except APART_ERRORS:
            self.close()
            return False
        return self._pulse.why or True

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = self._front = None
