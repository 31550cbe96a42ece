"""Parts of texts, from whoever makes them to those who follow the request.

An agent may be heard at another bridge than the one that runs the request: that one passes it on.
The one that runs it keeps the texts so far and tells what is added, so that they have one order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import UUID

from attrs import define, frozen
from databases import Database

from agent_bridge import metrics
from agent_bridge.parts.lookups import Lookups
from agent_bridge.parts.queries import Author, select_authors, select_places
from agent_bridge.parts.text import Texts
from agent_bridge.router.frames import (
    LOGGED_LIMIT,
    MASTER_SERVER_ML,
    UUID_CHARACTERS,
    AgentLogged,
    read_identity,
    read_uuid,
)
from agent_bridge.together import run_until_one_ends
from shared.notifications.bus import Message, Notifications
from shared.notifications.channels import ASKED_PARTS, heard_channel, parts_channel
from shared.notifications.formats import (
    AskedParts,
    HeardPart,
    Request,
    decode_asked,
    decode_heard,
    encode_additions,
    encode_heard,
    is_asked,
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


@define
class Heard:
    """When the first and the last part of an answer came, by the clock of this process."""

    first: float | None = None
    last: float | None = None


@define(eq=False)
class _Running:
    subject: Subject
    heard: Heard
    texts: Texts | None = None
    """None as long as there was no part: most requests have none."""

    @property
    def asks(self) -> AskedParts:
        """Who is told all that was said."""
        return AskedParts(self.subject.session_id, self.subject.owner)


class Parts:
    """Those of all requests that run at this bridge, and of none that has ended."""

    def __init__(self, database: Database, notifications: Notifications, bridge_id: UUID) -> None:
        self._notifications = notifications
        self._bridge_id = bridge_id
        self._running: dict[UUID, _Running] = {}
        self._texts: dict[AskedParts | None, set[Texts]] = {}
        self._authors = Lookups[Author](database, select_authors, self._take_from)
        self._places = Lookups[UUID](database, select_places, self._pass_on)
        self._characters = 0

    @contextmanager
    def running(self, subject: Subject) -> Iterator[Heard]:
        """Tell the parts of a request as long as the block goes on; when its answer's came."""
        id_ = subject.request.id
        self._running[id_] = running = _Running(subject, Heard())
        try:
            yield running.heard
        finally:
            if self._running.get(id_) is running:  # it may have been claimed here once more
                del self._running[id_]
            if running.texts is not None:
                self._finish(running, running.texts)

    def put(self, part: AgentLogged) -> bool:
        """Tell a part, if its author may say something there; False: it is dropped."""
        id_ = _request_of(part)
        if id_ is None:
            is_kept = False
        elif running := self._running.get(id_):
            is_kept = self._put_here(running, part)
        else:
            is_kept = self._places.put(id_, part)
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
            for of_session in self._texts.values():
                for texts in of_session:
                    texts.ask()
        elif is_asked(message):
            for texts in self._texts.get(decode_asked(message), ()):
                texts.ask()
        elif heard := decode_heard(message):
            part = _logged(heard)
            running_here = self._running_of(part)
            if running_here is None or not self._put_here(running_here, part):
                metrics.PARTS_DROPPED.inc()

    def _running_of(self, part: AgentLogged) -> _Running | None:
        id_ = _request_of(part)
        return None if id_ is None else self._running.get(id_)

    def _put_here(self, running: _Running, part: AgentLogged) -> bool:
        if part.agent_uuid == MASTER_SERVER_ML:
            return running.subject.answers == MASTER_SERVER_ML and self._take(running, part, None)
        return self._authors.put(UUID(part.agent_uuid), part)

    def _take_from(self, part: AgentLogged, author: Author | None) -> bool:
        """Take what an agent says, if it may work on the request and it is who it says."""
        running = self._running_of(part)
        if running is None or author is None or not author.works_for(running.subject.owner):
            return False
        if not (part.is_verified or author.stands):
            return False
        return self._take(running, part, UUID(part.agent_uuid))

    def _take(self, running: _Running, part: AgentLogged, agent_id: UUID | None) -> bool:
        """Go on with a text, which ends where a part of it is missing."""
        author = None if part.agent_uuid == running.subject.answers else agent_id
        characters, texts = len(part.message), running.texts or self._begin(running)
        if self._characters + characters > CHARACTERS_LIMIT:
            texts.end(author)
        if not texts.add(author, part.message):
            return False
        if author is None:
            running.heard.last = monotonic()
            running.heard.first = running.heard.first or running.heard.last
        self._characters += characters
        if characters >= LOGGED_LIMIT:  # the rest of it may have been cut off
            texts.end(author)
        return True

    def _begin(self, running: _Running) -> Texts:
        subject = running.subject
        channel = parts_channel(subject.session_id, subject.owner)
        running.texts = texts = Texts(
            subject.request,
            lambda told: self._notifications.publish(channel, encode_additions(told)),
        )
        self._texts.setdefault(running.asks, set()).add(texts)
        return texts

    def _finish(self, running: _Running, texts: Texts) -> None:
        of_session = self._texts[running.asks]
        of_session.discard(texts)
        if not of_session:
            del self._texts[running.asks]
        self._characters -= texts.characters
        texts.close()

    def _pass_on(self, part: AgentLogged, bridge_id: UUID | None) -> bool:
        """Have the bridge that runs the request tell it; None: no other one does."""
        if running := self._running_of(part):
            return self._put_here(running, part)
        if bridge_id in {None, self._bridge_id}:
            return False
        assert bridge_id is not None
        heard = encode_heard(
            HeardPart(part.agent_uuid, part.request_id, part.message, part.is_verified)
        )
        self._notifications.publish(heard_channel(bridge_id), heard)
        return True


def _logged(heard: HeardPart) -> AgentLogged:
    return AgentLogged(
        heard.agent_uuid, "", heard.request_id, LEVEL, heard.text, is_verified=heard.is_verified
    )


def _request_of(part: AgentLogged) -> UUID | None:
    """Which one it names; None: it can be nobody's, or about nothing."""
    is_somebodys = part.agent_uuid == MASTER_SERVER_ML or read_identity(part.agent_uuid)
    if not is_somebodys or len(part.request_id) > UUID_CHARACTERS:
        return None
    try:
        return read_uuid(part.request_id)
    except ValueError:
        return None
