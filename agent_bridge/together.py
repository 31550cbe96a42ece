"""What is done at the same time, for as long as all of it goes on."""

import asyncio
from collections.abc import Coroutine


async def run_until_one_ends(*works: Coroutine[None, None, None]) -> None:
    """Run them until one ends, end the others, and raise what any of them raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
