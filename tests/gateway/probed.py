"""A gateway that says how late its event loop has been: `python -m tests.gateway.probed`.

In time of the loop's thread: what else keeps the machine busy is not the gateway's doing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import thread_time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.app import create_app
from gateway.state import State
from shared.server import serve
from shared.settings import Settings

PROBE_SECONDS = 0.005


def create_probed_app(settings: Settings) -> Starlette:
    """The gateway with `/lag`: the worst lag in seconds since it was last asked."""
    app = create_app(settings)
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

    app.router.lifespan_context = probed
    app.router.routes.insert(0, Route("/lag", read_lag))
    return app


if __name__ == "__main__":
    serve(create_probed_app, lambda settings: (settings.gateway_host, settings.gateway_port))
