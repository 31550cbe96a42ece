"""Doing at once what several callers want: whoever comes while it is being done waits for the next
time. So one statement does for many when there is much to do, and nobody waits when there is not.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context

type Work[T, R] = Callable[[list[T]], Awaitable[Sequence[R]]]
"""Returns a result for each thing, in their order."""


class Batcher[T, R]:
    """Callers who want the same done, each to a thing of his own.

    Where it fails, each thing is tried alone, unless the error is one that is `nobodys` own. What
    takes longer than `patience`, in seconds, is waited for by nobody else.
    """

    def __init__(
        self,
        work: Work[T, R],
        most: int,
        *,
        nobodys: tuple[type[Exception], ...] = (),
        patience: float | None = None,
    ) -> None:
        self._work = work
        self._nobodys = nobodys
        self._patience = patience
        self._most = most  # things at a time
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._working: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[None]] = set()

    async def do(self, thing: T) -> R:
        """Have it done, and return its result. Raises what the work raises.

        A caller who is cancelled does not stop it once it has begun.
        """
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, result))
        self._go_on()
        return await result

    def _go_on(self) -> None:
        """Do what waits, unless somebody will when he is ready."""
        if self._waiting and len(self._working) == len(self._stuck):
            # In a context of its own: what is logged there is about more than the first who came.
            self._working.add(asyncio.create_task(self._run(), context=Context()))

    async def _run(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            while self._waiting:
                count = min(self._most, len(self._waiting))
                taken = [self._waiting.popleft() for _ in range(count)]
                with self._patient(task):
                    await self._do_all([each for each in taken if not each[1].done()])
        finally:
            self._working.discard(task)

    @contextmanager
    def _patient(self, task: "asyncio.Task[None]") -> Iterator[None]:
        """Have others wait for this, but not for long."""
        if self._patience is None:
            yield
            return
        stuck = asyncio.get_running_loop().call_later(self._patience, self._leave, task)
        try:
            yield
        finally:
            stuck.cancel()
            self._stuck.discard(task)

    def _leave(self, task: "asyncio.Task[None]") -> None:
        """Wait for it no longer."""
        self._stuck.add(task)
        self._go_on()

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
