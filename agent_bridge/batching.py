"""Doing at once what several callers want: whoever comes while it is being done waits for the next
time. So one statement does for many when there is much to do, and nobody waits when there is not.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

type Work[T, R] = Callable[[list[T]], Awaitable[Sequence[R]]]
"""Returns a result for each thing, in their order."""


class Batcher[T, R]:
    """Callers who want the same done, each to a thing of his own.

    Where it fails, each thing is tried alone, unless the error is one that is `nobodys` own.
    """

    def __init__(
        self, work: Work[T, R], most: int, *, nobodys: tuple[type[Exception], ...] = ()
    ) -> None:
        self._work = work
        self._nobodys = nobodys
        self._most = most  # things at a time
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def do(self, thing: T) -> R:
        """Have it done, and return its result. Raises what the work raises.

        A caller who is cancelled does not stop it once it has begun.
        """
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, result))
        if self._working is None:
            # In a context of its own: what is logged there is about more than the first who came.
            self._working = asyncio.create_task(self._run(), context=Context())
        return await result

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(self._most, len(self._waiting))
                taken = [self._waiting.popleft() for _ in range(count)]
                await self._do_all([each for each in taken if not each[1].done()])
        finally:
            self._working = None

    async def _do_all(self, wanted: list[tuple[T, asyncio.Future[R]]]) -> None:
        """Do it to all; where that fails for one of them, to each alone."""
        things, results = [thing for thing, _ in wanted], [result for _, result in wanted]
        try:
            done = await self._work(things) if things else []
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            if len(wanted) > 1 and not isinstance(error, self._nobodys):
                for each in wanted:
                    await self._do_all([each])
                return
            for result in results:
                if not result.done():
                    result.set_exception(error)
            return
        for result, value in zip(results, done, strict=True):
            if not result.done():
                result.set_result(value)
