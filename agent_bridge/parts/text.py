"""The texts of one request that runs here: the answer's, and those of agents that work on it."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from attrs import define, field

from agent_bridge import metrics
from shared.notifications.formats import Addition, Additions, Request

TOLD_PER_SECOND = 30  # texts of a request
CHARACTERS_LIMIT = 128 * 1024  # of all texts of a request: JSON makes six bytes of one at most
AUTHORS_LIMIT = 100

type Tell = Callable[[Additions], None]


@define
class _Text:
    """All that somebody has said, in pieces, and how much of it was told."""

    pieces: list[str] = field(factory=list)
    characters: int = 0
    told: int = 0
    """How many characters."""
    untold: list[str] = field(factory=list)

    def add(self, text: str) -> None:
        """Go on with this."""
        self.pieces.append(text)
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
        self.pieces = ["".join(self.pieces)]
        return Addition(author, 0, self.pieces[0])


class Texts:
    """Tells what is added: the first at once, and then joined, at most so many times a second."""

    def __init__(self, request: Request, tell: Tell) -> None:
        self._request = request
        self._tell = tell
        self._texts: dict[UUID | None, _Text] = {}
        self._asked = False
        self._may_tell_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._untold = 0  # parts
        self.characters = 0
        """Of all texts."""

    def has_room(self, author: UUID | None, text: str) -> bool:
        """Whether so much more may be said."""
        is_known = author in self._texts or len(self._texts) < AUTHORS_LIMIT
        return is_known and self.characters + len(text) <= CHARACTERS_LIMIT

    def add(self, author: UUID | None, text: str) -> None:
        """Go on with somebody's text."""
        if author not in self._texts:
            self._texts[author] = _Text()
        self._texts[author].add(text)
        self.characters += len(text)
        self._untold += 1
        self._tell_soon()

    def ask(self) -> None:
        """Tell all that was said so far, when it is time to tell something."""
        if self._texts:
            self._asked = True
            self._tell_soon()

    def close(self) -> None:
        """Tell what is left, and nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell_now()

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
            additions = [text.whole(author) for author, text in self._texts.items()]
        else:
            additions = [text.take(author) for author, text in self._texts.items() if text.untold]
        self._asked = False
        metrics.PARTS_TOLD.inc(self._untold)
        self._untold = 0
        seconds = len(additions) / TOLD_PER_SECOND
        self._may_tell_at = asyncio.get_running_loop().time() + seconds
        self._tell(Additions(self._request, additions))
