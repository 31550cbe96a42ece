"""An archive from the socket into a temporary file, which has no name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import IO

from starlette.requests import Request

from gateway.web.errors import BadRequestError, TooLargeError
from gateway.web.inputs import MAX_BODY_BYTES, bound
from gateway.web.multipart import is_multipart, read_parts
from shared.codec.sizes import in_units

WRITTEN_BYTES = 256 * 1024  # at once
NO_FILE = "There is no ZIP: it is the body, or the part 'file' of a form"


async def receive(
    request: Request, file: IO[bytes], most: int, keep: Callable[[], Awaitable[None]]
) -> None:
    """Write what is sent to a file. Raises BadRequestError, TooLargeError, ClientDisconnect."""
    error = TooLargeError(f"The archive must not be larger than {in_units(most)}")
    bounded = bound(request, most + MAX_BODY_BYTES, error)
    size, some = 0, bytearray()
    async for chunk in _content(bounded):
        size += len(chunk)
        if size > most:
            raise error
        some += chunk
        if len(some) >= WRITTEN_BYTES:
            await asyncio.to_thread(file.write, bytes(some))
            some.clear()
            await keep()
    if not size:
        raise BadRequestError(NO_FILE)
    await asyncio.to_thread(file.write, bytes(some))


async def _content(request: Request) -> AsyncIterator[bytes]:
    if not is_multipart(request):
        async for chunk in request.stream():
            yield chunk
        return
    async for part, content in read_parts(request):
        async for chunk in content:
            if part.name == "file":
                yield chunk
