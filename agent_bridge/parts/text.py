"""The texts of one request that runs here: the answer's, and those of agents that work on it."""

import asyncio
from collections.abc import Callable
from io import StringIO
from uuid import UUID

from attrs import define, field

from agent_bridge import metrics
from shared.notifications.formats import Addition, Additions, Request

TOLD_PER_SECOND = 30  # texts of a request
CHARACTERS_LIMIT = 128 * 1024  # of all texts of a request: JSON makes six bytes of one at most
OTHERS_LIMIT = CHARACTERS_LIMIT // 2  # of those of agents: there is always room for an answer
TEXTS_LIMIT = TOLD_PER_SECOND  # what is told at once takes no more than a second's share

type Tell = Callable[[Additions], None]


@define
class _Text:
    """All that somebody has said, and how much of it was told."""

    said: StringIO = field(factory=StringIO)  # pieces would take ten times as much memory
    characters: int = 0
    told: int = 0
    """How many characters."""
    untold: list[str] = field(factory=list)
    has_ended: bool = False

    def add(self, text: str) -> None:
        """Go on with this."""
        self.said.write(text)
        self.untold.append(text)
        self.characters += len(text)

    def take(self, author: UUID | None) -> Addition:
        """What was not told yet."""
        addition = Addition(author, self.told, "".join(self.untold))
        self.told = self.characters
        self.untold.clear()
        return addition

    def whole(self, author: UUID | None) -> Addition:
        """All that was said."""
        self.take(author)
        return Addition(author, 0, self.said.getvalue())


class Texts:
    """Tells what is added: the first at once, and then joined, at most so many times a second."""

    def __init__(self, request: Request, tell: Tell) -> None:
        self._request = request
        self._tell = tell
        self._answer = _Text()
        self._texts: dict[UUID | None, _Text] = {None: self._answer}
        self._asked = False
        self._may_tell_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._untold = 0  # parts
        self.characters = 0
        """Of all texts."""

    def add(self, author: UUID | None, text: str) -> bool:
        """Go on with somebody's text; False: that has ended, or there is no room for so much."""
        said = self._said_by(author)
        if said is None or said.has_ended:
            return False
        if len(text) > self._room(author):
            said.has_ended = True
            return False
        if text:
            said.add(text)
            self.characters += len(text)
            self._untold += 1
            self._tell_soon()
        return True

    def end(self, author: UUID | None) -> None:
        """Take no more of somebody's text: what follows is not what comes next."""
        if said := self._said_by(author):
            said.has_ended = True

    def ask(self) -> None:
        """Tell all that was said so far, when it is time to tell something."""
        if self.characters:
            self._asked = True
            self._tell_soon()

    def close(self) -> None:
        """Tell what is left, and nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell_now()

    def _said_by(self, author: UUID | None) -> _Text | None:
        said = self._texts.get(author)
        if said is None and len(self._texts) < TEXTS_LIMIT:
            said = self._texts[author] = _Text()
        return said

    def _room(self, author: UUID | None) -> int:
        if author is None:
            return CHARACTERS_LIMIT - self.characters
        return OTHERS_LIMIT - (self.characters - self._answer.characters)

    def _tell_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._may_tell_at:
                self._tell_now()
            else:
                self._timer = loop.call_at(self._may_tell_at, self._tell_now)

    def _tell_now(self) -> None:
        self._timer = None
        if self._asked:
            additions = [
                text.whole(author) for author, text in self._texts.items() if text.characters
            ]
        else:
            additions = [text.take(author) for author, text in self._texts.items() if text.untold]
        self._asked = False
        metrics.PARTS_TOLD.inc(self._untold)
        self._untold = 0
        seconds = len(additions) / TOLD_PER_SECOND
        self._may_tell_at = asyncio.get_running_loop().time() + seconds
        self._tell(Additions(self._request, additions))
