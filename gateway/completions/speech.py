"""What a model says while it works, in the order of a client's stream: thoughts, then its answer.

It knows no form: `chat` and `responses` are those.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from gateway.streams.events import Part
from shared.domain.frames import FailureFrame, FileMetadata, LogFrame, ResponseFrame
from shared.domain.usage import Usage, add_up, usage_in

PIECE_LIMIT = 16 * 1024  # characters of an answer that are told at a time
THOUGHTS_LIMIT = 256 * 1024  # characters of what led to an answer, where they are told again
BETWEEN = "\n\n"  # what was said, and an answer that does not go on with it

VENDOR = "genai"  # the field for what OpenAI's API has none for

type Event = Part | LogFrame | ResponseFrame


@frozen
class Asked:
    """What stands in all that is told of an answer."""

    request_id: UUID
    created: int
    model: str


@frozen
class Thought:
    """Something on the way to the answer."""

    text: str


@frozen
class Said:
    """What the answer goes on with."""

    text: str


@frozen
class Ended:
    """The answer is there, and has been told."""

    frame: ResponseFrame
    replaces: bool
    """It is not what its parts had begun: it stands after them as a whole."""


@frozen
class Failed:
    """There is no answer."""

    reason: str


type Utterance = Thought | Said | Ended | Failed


@define
class Speech:
    """How far a model has got."""

    said: list[str] = field(factory=list)
    """The answer, as far as it was told."""
    _thinking: object = None
    """Whose thought has no end of line yet."""

    def hear(self, event: Event) -> Iterator[Utterance]:
        """What is to be told."""
        match event:
            case Part(agent_id=None):
                self.said.append(event.text)
                yield Said(event.text)
            case Part():
                yield Thought(self._go_on(event.agent_id, event.text))
            case LogFrame():
                yield Thought(self._go_on(None, f"{event.log.message}\n"))
            case FailureFrame():
                yield Failed(event.error)
            case ResponseFrame():
                yield from self._end(event)

    def _go_on(self, author: object, text: str) -> str:
        """The text on a line of its own, unless its author has begun it."""
        is_other = self._thinking is not None and author != self._thinking
        self._thinking = None if text.endswith("\n") else author
        return f"\n{text}" if is_other else text

    def _end(self, frame: ResponseFrame) -> Iterator[Utterance]:
        answer, said = answer_of(frame), "".join(self.said)
        replaces = not answer.startswith(said)
        rest = BETWEEN + answer if replaces else answer[len(said) :]
        self.said.append(rest)
        for begin in range(0, len(rest), PIECE_LIMIT):
            yield Said(rest[begin : begin + PIECE_LIMIT])
        yield Ended(frame, replaces)


def answer_of(frame: ResponseFrame) -> str:
    """The text that counts."""
    return str(frame.response.response["response"])


def usage_of(frame: ResponseFrame) -> Usage:
    """The tokens of all models that have worked on it; zeros where nothing is said of them."""
    return add_up(usage_in(frame.response.response))


def more_of(frame: ResponseFrame, *, replaces: bool = False) -> dict[str, Any]:
    """What stands in the vendor's field."""
    response = frame.response
    return {
        "request_id": str(response.request_id),
        "session_id": str(response.session_id),
        "is_success": response.response["is_success"],
        "execution_time": response.execution_time,
        "agents_trace": response.response["agents_trace"],
        "files": [_file(each) for each in response.files],
        "replaces_parts": replaces,
    }


def _file(file: FileMetadata) -> dict[str, Any]:
    return {
        "id": str(file.id),
        "name": file.original_name,
        "mimetype": file.mimetype,
        "from_agent": file.from_agent,
    }
