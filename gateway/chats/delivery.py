"""The frames of a session in the order of their `seq`, each once, for one socket."""

from collections.abc import AsyncIterator
from uuid import UUID

from attrs import Factory, define, field, frozen
from databases import Database
from prometheus_client import Counter

from gateway.chats.queries import select_frames, select_session
from gateway.web.metrics import FRAMES_MISSED, FRAMES_REPLAYED, FRAMES_TOLD
from shared.domain.frames import GapFrame, LogFrame, ResponseFrame, encode
from shared.notifications.bus import Message
from shared.notifications.formats import decode_frames
from shared.postgres.pool import connect

PAGE = 100  # frames read from PostgreSQL at a time


@frozen
class Outgoing:
    """A frame as it goes to a socket."""

    frame: str
    answered: UUID | None = None
    """The request that it answers."""


@define
class Delivery:
    """How far a socket is: `sent` is the seq of the last frame that it was given."""

    database: Database
    owner: UUID
    session_id: UUID
    sent: int
    _counter: Counter = FRAMES_REPLAYED
    _before: int = field(init=False, default=Factory(lambda self: self.sent, takes_self=True))
    """The last seq that came before this socket: it is told of those only that are asked for."""
    _repeated: set[int] = field(init=False, factory=set)

    async def next_frames(self, message: Message) -> AsyncIterator[Outgoing]:
        """What to send when this was heard. Raises DatabaseAwayError; a later call catches up."""
        if (told := decode_frames(message)) is not None:
            if told.last <= self.sent:
                return
            if told.last - len(told.frames) <= self.sent:
                for frame in told.frames[self.sent - told.last :]:
                    self.sent += 1
                    FRAMES_TOLD.inc()
                    yield Outgoing(frame, told.answered if self.sent == told.last else None)
                return
        async for outgoing in self._missed():
            yield outgoing

    async def repeat(self, seq: int) -> str | None:
        """A frame from before this socket, once; None: the socket brings it, or it is no more."""
        if seq > self._before or seq in self._repeated:
            return None
        self._repeated.add(seq)
        async with connect(self.database) as connection:
            frames = await select_frames(connection, self.owner, self.session_id, seq - 1, 1)
        return encode(frames[0]).decode() if frames and frames[0].seq == seq else None

    async def _missed(self) -> AsyncIterator[Outgoing]:
        async with connect(self.database) as connection:
            session = await select_session(connection, self.owner, self.session_id)
        if session is None or not session.is_own:
            return
        if session.last_seq < self.sent:
            self.sent = self._before = 0  # the chat was deleted and begun again
            self._repeated.clear()
        while self.sent < session.last_seq:
            async with connect(self.database) as connection:
                frames = await select_frames(
                    connection, self.owner, self.session_id, self.sent, PAGE
                )
            self._counter.inc(len(frames))
            for frame in frames:
                assert frame.seq is not None
                if gap := self._move_on(frame.seq - 1):
                    yield gap
                self.sent = frame.seq
                yield _outgoing(frame)
            if len(frames) < PAGE:
                break
        self._counter = FRAMES_MISSED  # from now on
        if gap := self._move_on(session.last_seq):
            yield gap

    def _move_on(self, last_seq: int) -> Outgoing | None:
        """What to tell where frames up to this number were removed before they were sent."""
        if last_seq <= self.sent:
            return None
        gap = GapFrame(after=self.sent, before=last_seq + 1)
        self.sent = last_seq
        return Outgoing(encode(gap).decode())


def _outgoing(frame: LogFrame | ResponseFrame) -> Outgoing:
    answered = frame.response.request_id if isinstance(frame, ResponseFrame) else None
    return Outgoing(encode(frame).decode(), answered)
