"""Following a session: its frames, and the parts of its answers, in order, for one client."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    nullcontext,
)
from math import inf
from uuid import UUID

from attrs import define, field

from gateway.state import State
from gateway.streams.asking import Accepted
from gateway.streams.deliveries import Deliveries
from gateway.streams.delivery import Delivery, Outgoing
from gateway.streams.events import Part
from gateway.streams.questions import Question
from gateway.streams.texts import Texts
from gateway.streams.watch import Watch, Watched
from shared.domain.frames import LogFrame, ResponseFrame, read_frame
from shared.notifications.bus import Listener, Message, Notifications
from shared.notifications.channels import ASKED_PARTS, parts_channel, session_channel
from shared.notifications.formats import AskedParts, decode_additions, encode_asked, is_addition
from shared.postgres.pool import DatabaseAwayError

logger = logging.getLogger(__name__)

CATCH_UP_SECONDS = 1.0
ON_ITS_WAY_SECONDS = 0.5  # in which what is stored is told, too
ASK_SECONDS = 1.0  # between two questions for the same that is missing

type Event = Part | LogFrame | ResponseFrame


class SessionGoneError(Exception):
    """The chat was deleted, or what is asked for is kept no longer."""


@define
class Parts:
    """What a client is told of texts that are being made."""

    notifications: Notifications
    asks: bytes
    texts: Texts = field(factory=Texts)
    _asked_at: float = field(default=float("-inf"), init=False)

    def hear(self, message: Message) -> None:
        """Take additions; where something before them is missing, ask for it."""
        told = decode_additions(message)
        is_known = told is not None and self.texts.add(told)
        now = asyncio.get_running_loop().time()
        if message is None or (not is_known and now - self._asked_at >= ASK_SECONDS):
            self._asked_at = now
            self.notifications.publish(ASKED_PARTS, self.asks)


@define
class Feed:
    """What happens in a session, from a place on, each once: frames, and parts where wanted.

    Parts are joined while the client is busy with what it was given before.
    """

    delivery: Delivery
    _listener: Listener
    _parts: Parts | None
    _deliveries: Deliveries
    _must_exist: bool = False
    _is_gone: bool = field(default=False, init=False)

    def tell(self, told: Callable[[], object] | None) -> None:
        """Have it, or nothing, called whenever something has come: no task has to wait for that."""
        self._listener.tell(told)

    async def events(self) -> AsyncGenerator[Outgoing | Part]:
        """Until the generator is closed, which has to be done. Raises SessionGoneError.

        While the database is away it waits.
        """
        async with aclosing(self.groups()) as groups:
            async for group in groups:
                for event in group:
                    yield event

    async def groups(self, *, is_endless: bool = True) -> AsyncGenerator[list[Outgoing | Part]]:
        """The same, as much at a time as may be sent at once; or only what has come so far."""
        while is_endless or not self._listener.is_empty:
            message = await self._listener.get()
            if self._is_gone:
                raise SessionGoneError("The chat was deleted")
            if self._parts is not None and (message is None or is_addition(message)):
                self._parts.hear(message)
            if not is_addition(message):
                async with aclosing(self._frames(message)) as frames:
                    async for group in frames:
                        yield group
            if self._parts is not None and self._listener.is_empty:
                yield [*self._parts.texts.take()]

    def catch_up(self, last_seq: int | None) -> None:
        """The session is so far; None: there is none, or not what is followed of it.

        Frames that are still missing a moment later are read: a sooner reading would have answers
        overtake the parts that are told before them.
        """
        self._is_gone = last_seq is None and self._must_exist
        sent = self.delivery.sent
        if self._is_gone or (last_seq is not None and last_seq < sent):
            self._listener.put(None)
        elif last_seq is not None and last_seq > sent:
            loop = asyncio.get_running_loop()
            loop.call_later(ON_ITS_WAY_SECONDS, self._read_up_to, last_seq)

    def _read_up_to(self, last_seq: int) -> None:
        if self.delivery.sent < last_seq:
            self._listener.put(None)

    async def _frames(self, message: Message) -> AsyncGenerator[list[Outgoing | Part]]:
        try:
            async with aclosing(self.delivery.next_frames(message)) as frames:
                async for group in frames:
                    yield [each for outgoing in group for each in self._with_parts(outgoing)]
        except DatabaseAwayError as error:
            logger.warning("session %s is behind: %s", self.delivery.session_id, error)
            await asyncio.sleep(CATCH_UP_SECONDS)
            self._listener.put(None)

    def _with_parts(self, outgoing: Outgoing) -> Iterator[Outgoing | Part]:
        """A frame; before an answer what is left of its text."""
        if outgoing.is_answer and outgoing.request:
            if self._parts is not None:
                yield from self._parts.texts.take()
                self._parts.texts.end(outgoing.request)
            self._deliveries.note(outgoing.request.id)
        yield outgoing


def hear(
    state: State, question: Question, *, with_parts: bool
) -> AbstractAsyncContextManager[None]:
    """Listen already to what is about to be asked, and followed within this block."""
    channels = _channels(question.user_id, question.session_id, with_parts=with_parts)
    return state["heard"].hear(question.request_id, *channels)


def _channels(owner: UUID, session_id: UUID, *, with_parts: bool) -> list[str]:
    channels = [session_channel(session_id, owner)]
    return [*channels, parts_channel(session_id, owner)] if with_parts else channels


def follow(
    state: State,
    owner: UUID,
    session_id: UUID,
    after: int,
    *,
    with_parts: bool,
    request_id: UUID | None = None,
) -> AbstractAsyncContextManager[Feed]:
    """Follow a session of this owner's after a seq, as long as the block goes on.

    Where that is for the sake of a request, this one must exist.
    """
    notifications, parts = state["notifications"], None
    if with_parts:
        parts = Parts(notifications, encode_asked(AskedParts(session_id, owner)))
    channels = _channels(owner, session_id, with_parts=with_parts)
    return _Following(
        Delivery(state["database"], owner, session_id, after, state["large_frames"]),
        state["heard"].listen(request_id, *channels),
        state["watch"],
        Watched(session_id, request_id),
        parts,
        state["deliveries"],
    )


@define
class _Following(AbstractAsyncContextManager[Feed]):
    """What each socket has one of: generators would take five times as much."""

    _delivery: Delivery
    _listening: AbstractAsyncContextManager[Listener]
    _watch: Watch
    _watched: Watched
    _parts: Parts | None
    _deliveries: Deliveries
    _watching: AbstractContextManager[None] = field(factory=nullcontext, init=False)

    async def __aenter__(self) -> Feed:
        listener, must_exist = await self._listening.__aenter__(), bool(self._watched.request_id)
        feed = Feed(self._delivery, listener, self._parts, self._deliveries, must_exist)
        self._watching = self._watch.watch(self._watched, feed.catch_up)
        self._watching.__enter__()
        return feed

    async def __aexit__(self, *_: object) -> None:
        self._watching.__exit__(None, None, None)
        await self._listening.__aexit__(None, None, None)


@asynccontextmanager
async def follow_request(
    state: State, owner: UUID, accepted: Accepted, *, with_parts: bool = True
) -> AsyncIterator[AsyncIterator[Event]]:
    """Follow a request to its end, which is the last event; with parts, which cost each call more.

    What comes may raise SessionGoneError.
    """
    async with (
        follow(
            state,
            owner,
            accepted.session_id,
            accepted.seq,
            with_parts=with_parts,
            request_id=accepted.request_id,
        ) as feed,
        aclosing(_of_request(feed, accepted)) as events,
    ):
        yield events


async def follow_to_the_end(state: State, owner: UUID, accepted: Accepted) -> ResponseFrame:
    """The end of a request, whatever happens before. Raises SessionGoneError."""
    async with follow_request(state, owner, accepted, with_parts=False) as events:
        async for event in events:
            if isinstance(event, ResponseFrame):
                return event
    raise AssertionError(accepted.request_id)


async def _of_request(feed: Feed, accepted: Accepted) -> AsyncGenerator[Event]:
    async with aclosing(feed.events()) as events:
        async for event in events:
            if event.request is None and (accepted.answer_seq or inf) <= feed.delivery.sent:
                raise SessionGoneError("The answer is kept no longer")
            if event.request is None or event.request.id != accepted.request_id:
                continue
            if isinstance(event, Part):
                yield event
                continue
            yield read_frame(event.frame)
            if event.is_answer:
                return
