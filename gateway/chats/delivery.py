"""The frames of a session in the order of their `seq`, each once, for one socket."""

from collections.abc import AsyncIterator
from uuid import UUID

from attrs import define
from databases import Database

from gateway.chats.queries import select_frames, select_session
from shared.database import connect
from shared.events import encode
from shared.news import Message, decode_frame

PAGE = 100  # frames read from PostgreSQL at a time


@define
class Delivery:
    """How far a socket is: `sent` is the seq of the last frame that it was given."""

    database: Database
    owner: UUID
    session_id: UUID
    sent: int

    async def next_frames(self, message: Message) -> AsyncIterator[bytes]:
        """What to send when this was heard. Raises DatabaseAwayError; a later call catches up."""
        if message is not None:
            seq, frame = decode_frame(message)
            if seq <= self.sent:
                return
            if seq == self.sent + 1 and frame:
                self.sent = seq
                yield frame
                return
        async for frame in self._missed():
            yield frame

    async def _missed(self) -> AsyncIterator[bytes]:
        async with connect(self.database) as connection:
            session = await select_session(connection, self.owner, self.session_id)
        if session is not None and session.is_own and session.last_seq < self.sent:
            self.sent = 0  # the chat was deleted and begun again
        while True:
            async with connect(self.database) as connection:
                frames = await select_frames(
                    connection, self.owner, self.session_id, self.sent, PAGE
                )
            for frame in frames:
                assert frame.seq is not None
                self.sent = frame.seq
                yield encode(frame)
            if len(frames) < PAGE:
                return
