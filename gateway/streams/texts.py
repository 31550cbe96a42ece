"""How far one client is with the texts of the requests that it follows.

Nothing of this is stored, and each notification may be lost: a text whose beginning is not known
here waits until the bridge that has it was asked.
"""

from collections import deque
from collections.abc import Iterator
from uuid import UUID

from attrs import define, field

from gateway.streams.events import Part
from shared.notifications.formats import Addition, Additions, Request

REMEMBERED = 16  # requests that have ended: what is heard of them later is dropped


@define
class _Text:
    """What a client was given, and what it is to be given next."""

    known: int = 0  # characters
    parts: int = 0
    waiting: list[str] = field(factory=list)

    def add(self, addition: Addition) -> bool:
        """Take what is new; False: something before it is missing."""
        if addition.offset > self.known:
            return False
        if new := addition.text[self.known - addition.offset :]:
            self.waiting.append(new)
            self.known += len(new)
        return True

    def take(self) -> str:
        """All that waits, as one."""
        text = "".join(self.waiting)
        self.waiting.clear()
        return text


class Texts:
    """The texts of requests that go on, for one client."""

    def __init__(self) -> None:
        self._texts: dict[Request, dict[UUID | None, _Text]] = {}
        self._ended: deque[UUID] = deque(maxlen=REMEMBERED)
        self._have_waiting = False

    def add(self, told: Additions) -> bool:
        """Take what was added; False: something before it is missing."""
        if told.request.id in self._ended:
            return True
        texts = self._texts.setdefault(told.request, {})
        self._have_waiting = True
        known = [texts.setdefault(each.author, _Text()).add(each) for each in told.additions]
        return all(known)

    def end(self, request: Request) -> None:
        """It has its answer: that counts, and nothing that is heard later."""
        self._texts.pop(request, None)
        self._ended.append(request.id)

    def take(self) -> Iterator[Part]:
        """What waits: of each text one part."""
        if not self._have_waiting:
            return
        self._have_waiting = False
        for request, texts in self._texts.items():
            for author, text in texts.items():
                if text.waiting:
                    index, text.parts = text.parts, text.parts + 1
                    yield Part(request, author, index, text.take())
