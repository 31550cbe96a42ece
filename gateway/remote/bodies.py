"""Bodies of answers, counted and unpacked before anybody sees them."""

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager

import httpx2

from gateway.remote.errors import UnreachableError

PIECE_BYTES = 64 * 1024
UNPACKED = frozenset({"gzip", "x-gzip", "deflate"})
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # for zlib: told apart by their heads

SHOWN_ENCODING = 20  # characters

type KeepFailure = Callable[[], AbstractContextManager[None]]
type Count = Callable[[int], None]
"""Told how many bytes have come, or were unpacked. Raises UnreachableError for too many."""


def bound(answer: httpx2.Response, count: Count, keep_failure: KeepFailure) -> httpx2.Response:
    """The answer with a body that is counted, and unpacked where that is possible.

    Nobody is asked to compress, but some do. Raises UnreachableError.
    """
    headers = answer.headers.copy()
    encoding = headers.pop("Content-Encoding", "identity").strip().lower()
    if encoding not in UNPACKED | {"identity"}:
        raise UnreachableError(f"its answer is compressed by {encoding[:SHOWN_ENCODING]!r}")
    body = CountedBody
    if encoding in UNPACKED:
        headers.pop("Content-Length", None)
        body = UnpackedBody
    assert isinstance(answer.stream, httpx2.AsyncByteStream)
    stream = body(answer.stream, count, keep_failure)
    return httpx2.Response(
        answer.status_code, headers=headers, stream=stream, extensions=answer.extensions
    )


class CountedBody(httpx2.AsyncByteStream):
    """A body whose parts are counted, and whose failure is kept."""

    def __init__(
        self, inner: httpx2.AsyncByteStream, count: Count, keep_failure: KeepFailure
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


class UnpackedBody(CountedBody):
    """A compressed body, of which no piece is unpacked before the one before was counted."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces."""
        packed, is_empty = zlib.decompressobj(GZIP_OR_ZLIB), True
        with self._keep_failure():
            async for part in self._inner:
                self._count(len(part))
                is_empty = False
                for piece in _unpack(packed, part):
                    self._count(len(piece))
                    yield piece
            if not packed.eof and not is_empty:
                raise UnreachableError("its compressed answer ends too early")


def _unpack(packed: "zlib._Decompress", part: bytes) -> Iterator[bytes]:
    """What a part gives, in pieces: a few bytes of it may stand for gigabytes."""
    piece = b""
    try:
        while part or len(piece) == PIECE_BYTES:  # then there may be more of what it was given
            piece = packed.decompress(part, PIECE_BYTES)
            yield piece
            part = packed.unconsumed_tail
    except zlib.error:
        raise UnreachableError("its answer is not compressed as it says") from None
