"""Bodies of answers, counted before anybody sees them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

import httpx2

type Count = Callable[[int], None]
"""Told how many bytes have come. Raises for too many."""


class CountedBody(httpx2.AsyncByteStream):
    """A body whose parts are counted, and whose failure is kept."""

    def __init__(
        self,
        inner: httpx2.AsyncByteStream,
        count: Count,
        keep_failure: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._inner = inner
        self._count = count
        self._keep_failure = keep_failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts."""
        with self._keep_failure():
            async for part in self._inner:
                self._count(len(part))
                yield part

    async def aclose(self) -> None:
        """Close the body's connection, or give it back."""
        await self._inner.aclose()
