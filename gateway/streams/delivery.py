"""The frames of a session in the order of their `seq`, each once, for one client."""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from uuid import UUID

from attrs import Factory, define, field, frozen
from databases import Database
from prometheus_client import Counter

from gateway.streams.frame_queries import (
    FramesAhead,
    StoredFrame,
    select_frames,
    select_frames_ahead,
    select_session,
)
from gateway.web.metrics import FRAMES_MISSED, FRAMES_REPLAYED, FRAMES_TOLD
from gateway.web.room import SharedRoom
from shared.domain.frames import GapFrame, ResponseFrame, encode
from shared.notifications.bus import Message
from shared.notifications.formats import DELETED, Frames, Request, decode_frames
from shared.postgres.pool import connect

PAGE_LIMIT = 100  # frames read from PostgreSQL at a time
PAGE_BYTES_LIMIT = 128 * 1024  # of their texts; as JSON they have up to six times as many
LARGE_MOST_BYTES = 96 * 1024 * 1024  # of single frames beyond that, of all sockets
LARGE_BYTES_PER_USER = 32 * 1024 * 1024
COPIES = 2  # of a frame that is sent: as it waits here, and in what the server writes


def create_room() -> SharedRoom:
    """The room of a process for frames that are larger than a page."""
    return SharedRoom(LARGE_MOST_BYTES, LARGE_BYTES_PER_USER)


@frozen
class Outgoing:
    """A frame as it goes to a client."""

    seq: int
    frame: str
    request: Request | None = None
    """Which one it is about; None: it is a gap, or is so old that nobody knows."""
    is_answer: bool = False
    """Whether it ends the request."""


@frozen
class _Encoded:
    """A frame that waits to be sent: as bytes, of which no character takes four."""

    seq: int
    text: bytes
    request: Request
    is_answer: bool


@define
class Delivery:
    """How far a socket is: `sent` is the seq of the last frame that it was given.

    While a frame is sent no more than a page is in memory, as it goes out; a frame that is larger
    is there when all sockets together have `room` for it.
    """

    database: Database
    owner: UUID
    session_id: UUID
    sent: int
    room: SharedRoom = field(factory=create_room)
    _counter: Counter = FRAMES_REPLAYED
    _before: int = field(init=False, default=Factory(lambda self: self.sent, takes_self=True))
    """The last seq that came before this socket: it is told of those only that are asked for."""
    _repeated: set[int] | None = field(init=False, default=None)  # an empty one has 216 bytes

    async def next_frames(self, message: Message) -> AsyncGenerator[list[Outgoing]]:
        """What to send when this was heard: together what was told together.

        What has to be read comes one by one. Raises DatabaseAwayError; a later call catches up.
        Close it: what it holds is given back then.
        """
        if (told := decode_frames(message)) is not None:
            if told.last == DELETED:
                self._begin_again()
            if told.last <= self.sent:
                return
            if told.last - len(told.frames) <= self.sent:
                yield self._next_of(told)
                return
        async with aclosing(self._missed()) as missed:
            async for outgoing in missed:
                yield [outgoing]

    def _next_of(self, told: Frames) -> list[Outgoing]:
        new = told.frames[self.sent - told.last :]
        FRAMES_TOLD.inc(len(new))
        frames = [
            Outgoing(seq, frame, told.request, told.is_answered and seq == told.last)
            for seq, frame in enumerate(new, self.sent + 1)
        ]
        self.sent = told.last
        return frames

    async def repeat(self, seq: int) -> Outgoing | None:
        """A frame from before this socket, once; None: the socket brings it, or it is no more."""
        repeated = self._repeated = self._repeated or set()
        if seq > self._before or seq in repeated:
            return None
        repeated.add(seq)
        async with connect(self.database) as connection:
            frames = await select_frames(connection, self.owner, self.session_id, seq - 1, seq)
        return _decode(_encode(frames[0])) if frames else None

    async def _missed(self) -> AsyncGenerator[Outgoing]:
        async with connect(self.database) as connection:
            session = await select_session(connection, self.owner, self.session_id)
        if session is None or not session.is_own:
            return
        if session.last_seq < self.sent:
            self._begin_again()
        while self.sent < session.last_seq and (ahead := await self._look_ahead()):
            async with self._room_for(ahead):
                waiting = await self._read(ahead)
                while waiting:
                    outgoing = _decode(waiting.popleft())
                    if gap := self._move_on(outgoing.seq - 1):
                        yield gap
                    self.sent = outgoing.seq
                    yield outgoing
            if gap := self._move_on(ahead.last):
                yield gap
        self._counter = FRAMES_MISSED  # from now on
        if gap := self._move_on(session.last_seq):
            yield gap

    def _begin_again(self) -> None:
        """The chat was deleted: what has its id from now on is another one."""
        self.sent = self._before = 0
        self._repeated = None

    def _room_for(self, ahead: FramesAhead) -> AbstractAsyncContextManager[None]:
        if ahead.size <= PAGE_BYTES_LIMIT:
            return nullcontext()
        return self.room.taken(self.owner, COPIES * ahead.size)

    async def _look_ahead(self) -> FramesAhead | None:
        async with connect(self.database) as connection:
            return await select_frames_ahead(
                connection, self.owner, self.session_id, self.sent, PAGE_LIMIT, PAGE_BYTES_LIMIT
            )

    async def _read(self, ahead: FramesAhead) -> deque[_Encoded]:
        async with connect(self.database) as connection:
            frames = await select_frames(
                connection, self.owner, self.session_id, self.sent, ahead.last
            )
        self._counter.inc(len(frames))
        return deque(map(_encode, frames))

    def _move_on(self, last_seq: int) -> Outgoing | None:
        """What to tell where frames up to this number were removed before they were sent."""
        if last_seq <= self.sent:
            return None
        gap = GapFrame(after=self.sent, before=last_seq + 1)
        self.sent = last_seq
        return Outgoing(last_seq, encode(gap).decode())


def _encode(stored: StoredFrame) -> _Encoded:
    is_answer = isinstance(stored.frame, ResponseFrame)
    return _Encoded(stored.seq, encode(stored.frame), stored.request, is_answer)


def _decode(frame: _Encoded) -> Outgoing:
    return Outgoing(frame.seq, frame.text.decode(), frame.request, frame.is_answer)
