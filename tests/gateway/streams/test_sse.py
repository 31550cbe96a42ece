"""A stream of events: sent as they come, commented when there are none, and ended in order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, suppress
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from attrs import define, field

from gateway.streams import sse
from gateway.streams.sockets import Sockets
from gateway.streams.sse import COMMENT, EventStream, encode_event, open_stream
from gateway.web.callers import Caller
from gateway.web.metrics import STREAMS_OPEN
from shared.process.server import ABORT
from tests.users import eventually


@define
class Client:
    """Who takes a stream, or does not; all that was sent."""

    method: str = "GET"
    sent: list[dict[str, Any]] = field(factory=list)
    may_send: asyncio.Event = field(factory=asyncio.Event)
    has_left: asyncio.Event = field(factory=asyncio.Event)
    was_cut_off: bool = False
    hang_ups: int = 0
    was_closed: bool = False
    pieces: asyncio.Queue[bytes | None] = field(factory=asyncio.Queue)

    def __attrs_post_init__(self) -> None:
        self.may_send.set()

    async def produce(self) -> AsyncGenerator[bytes]:
        """What a test puts, until None."""
        try:
            while (piece := await self.pieces.get()) is not None:
                yield piece
        finally:
            self.was_closed = True

    def stream(self, **how: Any) -> EventStream:
        """A stream of that."""
        return EventStream(self.produce(), on_hang_up=self._hang_up, **how)

    async def take(self, stream: EventStream) -> None:
        """Take it to its end."""
        scope = {
            "type": "http",
            "method": self.method,
            "path": "/events",
            "extensions": {ABORT: {"abort": self._abort}},
        }
        await stream(scope, self._receive, self._send)
        stream.end()

    async def _hang_up(self) -> None:
        self.hang_ups += 1

    def _abort(self) -> None:
        self.was_cut_off = True

    async def _receive(self) -> dict[str, Any]:
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await self.may_send.wait()
        self.sent.append(message)

    @property
    def bodies(self) -> list[bytes]:
        """The pieces that came."""
        return [each["body"] for each in self.sent[1:] if each["body"]]

    @property
    def has_ended(self) -> bool:
        """Whether the response came to its end."""
        return not self.sent[-1].get("more_body", False) and len(self.sent) > 1

    async def until(self, count: int) -> None:
        """Wait for so many pieces."""

        async def holds() -> bool:
            return len(self.bodies) >= count

        await eventually(holds, f"{count} pieces came")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    assert client.was_closed
    assert STREAMS_OPEN._value.get() == 0


def test_an_event_has_its_place_and_name_where_it_has_any() -> None:
    assert encode_event(b"{}") == b"data: {}\n\n"
    assert encode_event(b"{}", id_=0) == b"id: 0\ndata: {}\n\n"
    assert encode_event(b"{}", id_=7, event="delta") == b"event: delta\nid: 7\ndata: {}\n\n"


async def test_pieces_are_sent_as_they_come_to_the_end(client: Client) -> None:
    taking = asyncio.create_task(client.take(client.stream()))
    for number in range(3):
        client.pieces.put_nowait(b"%d" % number)
        await client.until(number + 1)
    client.pieces.put_nowait(None)
    await taking
    headers = dict(client.sent[0]["headers"])
    assert client.sent[0]["status"] == 200
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert (headers[b"cache-control"], headers[b"x-accel-buffering"]) == (b"no-store", b"no")
    assert b"content-length" not in headers
    assert (client.bodies, client.has_ended, client.hang_ups) == ([b"0", b"1", b"2"], True, 0)


async def test_head_is_answered_without_pieces(client: Client) -> None:
    client.method = "HEAD"
    client.was_closed = True  # what was never begun has nothing to close
    await client.take(client.stream())
    assert client.bodies == []
    assert client.has_ended


async def test_a_comment_comes_where_nothing_else_does(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sse.COMMENT_SECONDS == 15
    monkeypatch.setattr(sse, "COMMENT_SECONDS", 0.05)
    taking = asyncio.create_task(client.take(client.stream()))
    await client.until(2)
    assert client.bodies == [COMMENT] * 2
    client.pieces.put_nowait(b"x")
    client.pieces.put_nowait(None)
    await taking
    assert client.bodies == [COMMENT, COMMENT, b"x"]


async def test_none_comes_where_there_is_enough_to_tell(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "COMMENT_SECONDS", 0.5)
    taking = asyncio.create_task(client.take(client.stream()))
    for _ in range(35):
        client.pieces.put_nowait(b"x")
        await asyncio.sleep(0.02)
    client.pieces.put_nowait(None)
    await taking
    assert client.bodies == [b"x"] * 35


async def test_who_hangs_up_is_told_nothing_more(client: Client) -> None:
    taking = asyncio.create_task(client.take(client.stream()))
    client.pieces.put_nowait(b"x")
    await client.until(1)
    client.has_left.set()
    await taking
    assert (client.hang_ups, client.has_ended, client.was_cut_off) == (1, False, False)


@pytest.mark.parametrize("comments", [True, False])
async def test_who_takes_nothing_is_cut_off(
    client: Client, monkeypatch: pytest.MonkeyPatch, *, comments: bool
) -> None:
    monkeypatch.setattr(sse, "SEND_SECONDS", 0.05)
    if comments:
        monkeypatch.setattr(sse, "COMMENT_SECONDS", 0.05)
    else:
        client.pieces.put_nowait(b"x")
    client.may_send.clear()
    taking = asyncio.create_task(client.take(client.stream()))
    if comments:  # what was cut off is soon known to have left

        async def cut() -> bool:
            return client.was_cut_off

        await eventually(cut, "it is cut off")
        client.has_left.set()
    await taking
    assert (client.was_cut_off, client.hang_ups) == (True, 1)


async def test_a_gateway_that_goes_down_ends_it_with_a_farewell(client: Client) -> None:
    stream = client.stream(ends_by_itself=False, farewell=lambda _why: b"bye")
    taking = asyncio.create_task(client.take(stream))
    client.pieces.put_nowait(b"x")
    await client.until(1)
    await stream.leave(30)
    await taking
    assert (client.bodies, client.has_ended, client.hang_ups) == ([b"x", b"bye"], True, 1)


async def test_it_waits_for_what_ends_by_itself(client: Client) -> None:
    stream = client.stream(farewell=lambda _why: b"bye")
    taking = asyncio.create_task(client.take(stream))
    leaving = asyncio.create_task(stream.leave(30))
    client.pieces.put_nowait(b"x")
    await client.until(1)
    client.pieces.put_nowait(None)
    await asyncio.gather(leaving, taking)
    assert (client.bodies, client.has_ended) == ([b"x"], True)


async def test_it_waits_no_longer_than_it_may(client: Client) -> None:
    stream = client.stream(farewell=lambda _why: b"bye")
    taking = asyncio.create_task(client.take(stream))
    await stream.leave(0.05)
    await taking
    assert (client.bodies, client.has_ended) == ([b"bye"], True)


async def test_it_does_not_wait_for_what_is_refused_before_it_begins() -> None:
    nobody: Any = SimpleNamespace(tell=lambda _told: None)
    sockets = Sockets(1, nobody)
    async with AsyncExitStack() as held:
        call: Any = SimpleNamespace(state={"sockets": sockets}, caller=Caller(uuid4()), held=held)
        open_stream(call, Client().stream())
        leaving = asyncio.create_task(sockets.leave(30))
        await asyncio.sleep(0)
        assert not leaving.done()
    async with asyncio.timeout(5):
        await leaving


async def test_a_failure_is_the_server_s_to_tell_and_the_end_is_missing(client: Client) -> None:
    async def fail() -> AsyncGenerator[bytes]:
        yield b"x"
        raise ValueError("broken")

    client.was_closed = True
    with pytest.raises(ValueError, match="broken"):
        await client.take(EventStream(fail()))
    assert not client.has_ended


async def test_one_that_is_cancelled_closes_what_it_has(client: Client) -> None:
    taking = asyncio.create_task(client.take(client.stream()))
    client.pieces.put_nowait(b"x")
    await client.until(1)
    taking.cancel()
    with suppress(asyncio.CancelledError):
        await taking
