"""An open socket, and what is left of it."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast
from weakref import ref

import pytest

from gateway.chats.socket import _Socket


class Stuck:
    """A feed of which something has come, and never gets delivered."""

    delivery = None

    def __init__(self) -> None:
        self.is_delivered = asyncio.Event()

    def tell(self, told: Callable[[], object] | None) -> None:
        """Something has come already."""
        if told is not None:
            told()

    async def groups(self, *, is_endless: bool) -> AsyncGenerator[list[Any]]:
        """Wait for ever."""
        self.is_delivered.set()
        await asyncio.Event().wait()
        yield [is_endless]


@pytest.fixture
def _without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_without_collector")
async def test_who_leaves_while_something_is_delivered_leaves_nothing_to_the_collector() -> None:
    feed = Stuck()
    is_delivered = feed.is_delivered

    async def leave() -> dict[str, Any]:
        await is_delivered.wait()
        return {"type": "websocket.disconnect"}

    settings = SimpleNamespace(max_message_bytes=1)
    websocket = SimpleNamespace(receive=leave, state={"settings": settings})
    opening = SimpleNamespace(session_id=None, wording=None)
    await _Socket(cast("Any", websocket), cast("Any", opening), cast("Any", feed)).serve()
    left = ref(feed)
    del feed
    await asyncio.sleep(0)  # this turn of the loop is one of those who waited for it
    assert left() is None
