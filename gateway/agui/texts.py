"""Messages that grow by parts, in the events of AG-UI, of which the front-end may have some."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from attrs import define, field, frozen

from gateway.openapi.schemas import Json

DELTA_LIMIT = 64 * 1024  # characters of an event: clients take a few MiB at most


@frozen
class Kind:
    """The events of a kind of message, and those around it."""

    start: Json
    content: str
    end: str
    before: str = ""
    after: str = ""
    is_kept: bool = False  # so that it can be compared with the whole in the end


ANSWER = Kind(
    {"type": "TEXT_MESSAGE_START", "role": "assistant"},
    "TEXT_MESSAGE_CONTENT",
    "TEXT_MESSAGE_END",
    is_kept=True,
)
REASONING = Kind(
    {"type": "REASONING_MESSAGE_START", "role": "reasoning"},
    "REASONING_MESSAGE_CONTENT",
    "REASONING_MESSAGE_END",
    "REASONING_START",
    "REASONING_END",
)


def deltas(text: str) -> Iterator[str]:
    """A text in pieces that fit into an event each."""
    return (text[start : start + DELTA_LIMIT] for start in range(0, len(text), DELTA_LIMIT))


@define
class Text:
    """A message of a run.

    Clients append: what a front-end has of it is not told again, and where it has something else,
    nothing can be told.
    """

    kind: Kind
    id: str
    known: str = ""
    """What the front-end had of it before the run."""
    _said: list[str] = field(factory=list, init=False)
    _met: int = field(default=0, init=False)  # characters of what is known that were said again
    _differs: bool = field(default=False, init=False)
    _is_open: bool = field(default=False, init=False)

    @property
    def is_begun(self) -> bool:
        """Whether the front-end has any of it."""
        return bool(self.known) or self._is_open

    def say(self, text: str, **more: Any) -> Iterator[Json]:
        """Go on with a text; `more` is what the events of it say besides."""
        had = self.known[self._met : self._met + len(text)]
        self._met += len(had)
        self._differs = self._differs or not text.startswith(had)
        if not self._differs:
            new = text[len(had) :]
            if self.kind.is_kept:
                self._said.append(new)
            yield from self._tell(new, more)

    def complete(self, text: str) -> Iterator[Json] | None:
        """Go on to the whole text, and end; None: what the front-end has is not its beginning."""
        told = "".join([self.known, *self._said])
        if not text.startswith(told):
            return None
        return chain(self._tell(text[len(told) :], {}), self.end())

    def end(self) -> Iterator[Json]:
        """Say that no more of it comes now."""
        if self._is_open:
            self._is_open = False
            yield {"type": self.kind.end, "messageId": self.id}
            if self.kind.after:
                yield {"type": self.kind.after, "messageId": self.id}

    def _tell(self, text: str, more: Json) -> Iterator[Json]:
        if text and not self._is_open:
            self._is_open = True
            if self.kind.before:
                yield {"type": self.kind.before, "messageId": self.id}
            yield {**self.kind.start, "messageId": self.id}
        for delta in deltas(text):
            yield {"type": self.kind.content, "messageId": self.id, "delta": delta, **more}
