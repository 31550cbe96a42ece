"""Parts of texts, from whoever makes them to those who follow the request.

An agent may be heard at another bridge than the one that runs the request: that one passes it on.
The one that runs it keeps the texts so far and tells what is added, so that they have one order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from attrs import define, field, frozen
from databases import Database

from agent_bridge import metrics
from agent_bridge.parts.lookups import Lookups
from agent_bridge.parts.queries import Author, select_authors, select_places
from agent_bridge.parts.text import Texts
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged, read_identity
from agent_bridge.together import run_until_one_ends
from shared.notifications.bus import Message, Notifications
from shared.notifications.formats import (
    ASKED_PARTS,
    AskedParts,
    HeardPart,
    Request,
    decode_asked,
    decode_heard,
    encode_additions,
    encode_heard,
    heard_channel,
    is_asked,
    parts_channel,
)

LEVEL = "delta"
"""The level of a log entry that is a part, and is not stored."""

CHARACTERS_LIMIT = 32 * 1024 * 1024  # of all texts of a bridge


@frozen
class Subject:
    """A request that runs here."""

    request: Request
    session_id: UUID
    owner: UUID
    answers: str = MASTER_SERVER_ML
    """Whose text is the answer's; all others' are their own."""


@define(eq=False)
class _Running:
    subject: Subject
    texts: Texts
    is_full: bool = field(default=False)


class Parts:
    """Those of all requests that run at this bridge, and of none that has ended."""

    def __init__(self, database: Database, notifications: Notifications, bridge_id: UUID) -> None:
        self._notifications = notifications
        self._bridge_id = bridge_id
        self._running: dict[str, _Running] = {}
        self._authors = Lookups[Author](database, select_authors, self._take_from)
        self._places = Lookups[UUID](database, select_places, self._pass_on)
        self._characters = 0

    @contextmanager
    def running(self, subject: Subject) -> Iterator[None]:
        """Tell the parts of a request as long as the block goes on."""
        channel = parts_channel(subject.session_id, subject.owner)
        texts = Texts(
            subject.request,
            lambda told: self._notifications.publish(channel, encode_additions(told)),
        )
        name = str(subject.request.id)
        self._running[name] = _Running(subject, texts)
        try:
            yield
        finally:
            del self._running[name]
            self._characters -= texts.characters
            texts.close()

    def put(self, part: AgentLogged) -> bool:
        """Tell a part, if its author may say something there; False: it is dropped."""
        running = self._running.get(part.request_id)
        if running is None:
            is_kept = self._places.put(part.request_id, part)
        else:
            is_kept = self._put_here(running, part)
        if not is_kept:
            metrics.PARTS_DROPPED.inc()
        return is_kept

    async def run(self) -> None:
        """Look up what has to be known, and hear other bridges and those who follow, for ever."""
        await run_until_one_ends(self._authors.run(), self._places.run(), self._listen())

    async def _listen(self) -> None:
        heard = heard_channel(self._bridge_id)
        async with self._notifications.subscribe(heard, ASKED_PARTS) as listener:
            while True:
                self._hear(await listener.get())

    def _hear(self, message: Message) -> None:
        if message is None:  # somebody may have asked
            for running in self._running.values():
                running.texts.ask()
        elif is_asked(message):
            asked = decode_asked(message)
            for running in self._running.values():
                subject = running.subject
                if asked == AskedParts(subject.session_id, subject.owner):
                    running.texts.ask()
        elif heard := decode_heard(message):
            runs = self._running.get(heard.request_id)
            if runs is None or not self._put_here(runs, _logged(heard)):
                metrics.PARTS_DROPPED.inc()

    def _put_here(self, running: _Running, part: AgentLogged) -> bool:
        if part.agent_uuid == MASTER_SERVER_ML:
            return self._take(running, part, None)
        return self._authors.put(part.agent_uuid, part)

    def _take_from(self, part: AgentLogged, author: Author | None) -> bool:
        """Take what an agent says, if it is its owner's request and it is who it says."""
        running, agent_id = self._running.get(part.request_id), read_identity(part.agent_uuid)
        if running is None or author is None or author.owner != running.subject.owner:
            return False
        return (part.is_verified or author.stands) and self._take(running, part, agent_id)

    def _take(self, running: _Running, part: AgentLogged, agent_id: UUID | None) -> bool:
        """Go on with a text; one that is full stays as it is: nothing may be missing within."""
        author = None if part.agent_uuid == running.subject.answers else agent_id
        characters = len(part.message)
        has_room = self._characters + characters <= CHARACTERS_LIMIT
        if running.is_full or not (has_room and running.texts.has_room(author, part.message)):
            running.is_full = True
            return False
        if characters:
            running.texts.add(author, part.message)
            self._characters += characters
        return True

    def _pass_on(self, part: AgentLogged, bridge_id: UUID | None) -> bool:
        """Have the bridge that runs the request tell it; None: no other one does."""
        if running := self._running.get(part.request_id):
            return self._put_here(running, part)
        if bridge_id in {None, self._bridge_id}:
            return False
        assert bridge_id is not None
        heard = HeardPart(part.agent_uuid, part.request_id, part.message, part.is_verified)
        self._notifications.publish(heard_channel(bridge_id), encode_heard(heard))
        return True


def _logged(heard: HeardPart) -> AgentLogged:
    return AgentLogged(
        heard.agent_uuid, "", heard.request_id, LEVEL, heard.text, is_verified=heard.is_verified
    )
