"""A gateway that says how its loop and its memory do: `python -m tests.gateway.probed`."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import thread_time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import app as gateway
from gateway.state import State
from shared.process.starting import start
from shared.settings.gateway import GatewaySettings
from tests.users import eventually

PROBE_SECONDS = 0.005
OURS = ("gateway.", "shared.", "starlette.", "uvicorn.", "uvloop.")
"""Whose classes are told: asyncpg leaves a class behind when it cancels a statement."""

listening = gateway.listening


def create_app(settings: GatewaySettings) -> Starlette:
    """The gateway with two more routes, each of which tells what was since it was last asked.

    `/lag`: how late the loop was at worst, in seconds of its own thread: what else keeps the
    machine busy is not the gateway's doing. `/garbage`: the classes of what was left and refers to
    itself, once no socket is open and nothing else is asked.
    """
    app = gateway.create_app(settings)
    lifespan = app.router.lifespan_context
    lags = [0.0]

    async def probe() -> None:
        while True:
            begun = thread_time()
            await asyncio.sleep(PROBE_SECONDS)
            lags.append(thread_time() - begun - PROBE_SECONDS)

    @asynccontextmanager
    async def probed(inner: Starlette) -> AsyncIterator[State]:
        async with lifespan(inner) as state:
            probing = asyncio.create_task(probe())
            yield state  # type: ignore[misc]
            probing.cancel()

    async def read_lag(_request: Request) -> Response:
        worst = max(lags)
        lags[:] = [0.0]
        return JSONResponse(worst)

    async def read_garbage(request: Request) -> Response:
        async def nobody_is_there() -> bool:
            return not request.state["sockets"]._open and count_calls() == 1

        await eventually(nobody_is_there, "no socket is open, and nothing else is asked")
        gc.disable()  # it would be gone before it is asked for
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        classes = {f"{type(each).__module__}.{type(each).__name__}" for each in gc.garbage}
        gc.garbage.clear()
        gc.collect()
        return JSONResponse([each for each in classes if each.startswith(OURS)])

    app.router.lifespan_context = probed
    app.router.routes[:0] = [Route("/lag", read_lag), Route("/garbage", read_garbage)]
    return app


def count_calls() -> int:
    """How many calls are served now; who has left may not have been noticed yet."""
    running = (task.get_coro() for task in asyncio.all_tasks())
    return sum(getattr(each, "__name__", "") == "run_asgi" for each in running)


if __name__ == "__main__":
    start("tests.gateway.probed", GatewaySettings)
