"""A loop that ends takes its process down; a process that ends takes its loops down."""

import asyncio
import json
import subprocess
import sys

import pytest

from shared.process.background import background
from tests.system import PROJECT

SERVICE = """
import asyncio
from contextlib import asynccontextmanager
import uvicorn
from starlette.applications import Starlette
from shared.process.background import background
from shared.telemetry.logging import configure_logging

async def loop():
    await asyncio.sleep(0.2)
    {ending}

@asynccontextmanager
async def lifespan(app):
    async with background(reader=loop(), other=asyncio.Event().wait()):
        yield

configure_logging(debug=False)
app = Starlette(lifespan=lifespan)
server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="on", log_config=None))
server.run()
raise SystemExit(1 if server.lifespan.error_occured else 0)
"""


@pytest.fixture(scope="module", params=["return", "raise OSError('broken')"])
def ended(request: pytest.FixtureRequest) -> subprocess.CompletedProcess[str]:
    script = SERVICE.format(ending=request.param)
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=20
    )


def test_a_loop_that_ends_ends_the_process_with_a_code(
    ended: subprocess.CompletedProcess[str],
) -> None:
    assert ended.returncode not in {0, None}


def test_the_log_names_the_loop_that_ended(ended: subprocess.CompletedProcess[str]) -> None:
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    told = {(line["level"], line["logger"], line["event"]) for line in lines}
    assert ("critical", "shared.process.background", "the loop 'reader' has ended") in told


async def test_loops_end_with_their_block() -> None:
    ended = asyncio.Event()

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with background(loop=loop()):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_what_a_block_raises_comes_out_of_it() -> None:
    async def loop() -> None:
        await asyncio.Event().wait()

    with pytest.raises(LookupError):
        async with background(loop=loop()):
            raise LookupError
