"""Answers to calls of A2A: as a stream, when a task has ended, or at once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from json import JSONDecodeError

from starlette.responses import Response

from gateway.published.asked import Asked
from gateway.streams.plain import Awaited
from gateway.streams.sse import EventStream, open_stream
from shared.codec.text import read_json

STREAMING = {"SendStreamingMessage", "SubscribeToTask", "message/stream", "tasks/resubscribe"}
STREAMING_ENDS = {"stream", "subscribe"}  # of paths
WAITING = {"SendMessage", "message/send", "send"}

type Answered = Callable[[], Awaitable[Response | AsyncGenerator[bytes]]]


def method_of(body: bytes) -> str:
    """The method that a body of JSON-RPC names, if it names any."""
    try:
        given = read_json(body)
    except JSONDecodeError:
        return ""
    method = given.get("method") if isinstance(given, dict) else None
    return method if isinstance(method, str) else ""


async def answer(asked: Asked, name: str, make: Answered) -> Response:
    """The answer to an operation of this name. Raises what `make` does, and what refuses streams.

    Nobody who hangs up ends a task.
    """
    if name in STREAMING or name in STREAMING_ENDS:
        return await _stream(asked, make)
    if name in WAITING:
        return open_stream(asked.call, Awaited(lambda: _whole(make)))
    return await _whole(make)


async def _stream(asked: Asked, make: Answered) -> Response:
    """There may be no room for a stream: that is to be known before anything is asked."""
    made: asyncio.Future[AsyncGenerator[bytes]] = asyncio.get_running_loop().create_future()
    stream = open_stream(asked.call, EventStream(_pieces(made)))
    answered = await make()
    if isinstance(answered, Response):
        return answered
    made.set_result(answered)
    return stream


async def _pieces(made: asyncio.Future[AsyncGenerator[bytes]]) -> AsyncGenerator[bytes]:
    async with aclosing(made.result()) as pieces:
        async for piece in pieces:
            yield piece


async def _whole(make: Answered) -> Response:
    answered = await make()
    assert isinstance(answered, Response)
    return answered
