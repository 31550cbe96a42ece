"""What the tests of the local stack share: a router, and plain connections to it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from websockets.asyncio.server import Server

from devstack.router import start_router
from devstack.routing import Keys

from .router_client import url_of

KEYS = Keys("7a3fd399-3e48-46a0-ab7c-0eaf38020283::master_server_be", "the-key-of-the-master-agent")


@pytest.fixture
def keys() -> Keys:
    return KEYS


@pytest.fixture
async def router(keys: Keys) -> AsyncIterator[Server]:
    async with await start_router(keys, port=0) as server:
        yield server


@pytest.fixture
def router_url(router: Server) -> str:
    return url_of(router)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can enter, unlike pytest's."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
