"""Loops that run beside a server, and that take the process down when one of them ends."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

logger = logging.getLogger(__name__)


class LoopEndedError(Exception):
    """A loop that must run as long as the process has ended."""


@asynccontextmanager
async def background(**loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run the named loops until the block ends.

    A loop that ends before, with or without an exception, is logged and ends the process as an
    operator's SIGTERM would: a process that is half deaf is worse than one that is restarted.
    The block then ends with LoopEndedError.
    """
    ended: list[str] = []
    leaving = False

    def watch(task: asyncio.Task[None]) -> None:
        if leaving or task.cancelled():
            return
        ended.append(task.get_name())
        logger.critical("the loop %r has ended", task.get_name(), exc_info=task.exception())
        if len(ended) == 1:  # a second signal would end it at once
            signal.raise_signal(signal.SIGTERM)

    tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
    for task in tasks:
        task.add_done_callback(watch)
    try:
        yield
    finally:
        leaving = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if ended:
        raise LoopEndedError(f"ended before the process: {', '.join(ended)}")
