"""What happens to messages, in the words of the front-end's socket: of each of its two protocols.

The second is that of the event stream too. What either says is a class here or in `frames`.
"""

from typing import Any, Literal, Protocol
from uuid import UUID

from attrs import field, frozen
from msgspec import UNSET, UnsetType

from gateway.chats.frames import describe_faults, read_message_id, refuse
from gateway.streams.asking import Accepted
from gateway.streams.delivery import Outgoing
from gateway.streams.events import Part
from shared.codec.converter import dump, unstructure
from shared.codec.faults import Fault
from shared.domain.frames import encode

type Reason = Literal[
    "invalid",
    "too_many_open",
    "budget_spent",
    "foreign_session",
    "not_accepted",
    "database_away",
    "internal",
]


@frozen
class Refusal:
    """Why a frame of the client's does nothing."""

    session_id: UUID
    request_id: UUID
    frame: str | bytes = field(repr=False)
    code: Reason
    error: str
    faults: list[Fault] = field(factory=list)
    is_message: bool = True


@frozen(slots=False)
class AcceptedFrame:
    """A message is stored: at once, and before all that happens to its request.

    The frames of the request have a higher `seq`: whoever connects again `after` it misses none.
    """

    message_id: UUID | None
    request_id: UUID
    session_id: UUID
    seq: int
    type: Literal["accepted"] = "accepted"


@frozen(slots=False)
class DeltaFrame:
    """A part of a text that is being made: the answer's, or that of the agent that is named.

    The one of `index` 0 begins the text. Nothing of it is stored: the answer stands alone.
    """

    request_id: UUID
    message_id: UUID | None
    index: int
    text: str
    agent_id: UUID | UnsetType = UNSET
    type: Literal["delta"] = "delta"


@frozen(slots=False)
class ErrorFrame:
    """A frame of the client's did nothing: why, and what was wrong with it.

    `message_id` is null where the frame says none that can be read.
    """

    message_id: UUID | None
    code: Reason
    error: str
    details: list[dict[str, Any]]
    type: Literal["error"] = "error"


class Wording(Protocol):
    """How a protocol says what happens."""

    @property
    def has_parts(self) -> bool:
        """Whether parts of answers are told, and that messages are accepted."""

    def tell(self, event: Outgoing | Part) -> str:
        """The frame of an event."""

    def accept(self, accepted: Accepted) -> list[str]:
        """What is said of a message that is stored."""

    def refuse(self, refusal: Refusal) -> list[str]:
        """What is said of a frame that does nothing."""


class First:
    """As the original says it."""

    has_parts = False

    def tell(self, event: Outgoing | Part) -> str:
        """The frame as it was stored."""
        assert isinstance(event, Outgoing), "nobody asked for parts"
        return event.frame

    def accept(self, accepted: Accepted) -> list[str]:
        """Nothing: the first log entry tells of the request."""
        return []

    def refuse(self, refusal: Refusal) -> list[str]:
        """All faults as a text, and in place of an answer one that says why there is none."""
        told = []
        if refusal.faults:
            told.append(describe_faults(refusal.faults))
        if refusal.is_message:
            failure = refuse(refusal.session_id, refusal.request_id, refusal.error)
            told.append(encode(failure).decode())
        return told


class Second:
    """Each frame of a request says which message it is about."""

    has_parts = True

    def tell(self, event: Outgoing | Part) -> str:
        """The frame, with the message's id."""
        if isinstance(event, Part):
            frame = DeltaFrame(
                event.request.id,
                event.request.message_id,
                event.index,
                event.text,
                UNSET if event.agent_id is None else event.agent_id,
            )
            return dump(frame).decode()
        if event.request is None:
            return event.frame
        message_id = event.request.message_id
        told = f'"{message_id}"' if message_id else "null"
        return f'{event.frame[:-1]},"message_id":{told}}}'

    def accept(self, accepted: Accepted) -> list[str]:
        """That it is stored, and where what happens to it begins."""
        return [dump(accepted_frame(accepted)).decode()]

    def refuse(self, refusal: Refusal) -> list[str]:
        """One frame with all that is wrong."""
        details = unstructure(refusal.faults)
        message_id = read_message_id(refusal.frame)
        frame = ErrorFrame(message_id, refusal.code, refusal.error, details)
        return [dump(frame).decode()]


def accepted_frame(accepted: Accepted) -> AcceptedFrame:
    """What is told of a message that is stored."""
    return AcceptedFrame(
        accepted.message_id, accepted.request_id, accepted.session_id, accepted.seq
    )


WORDINGS: dict[int, Wording] = {1: First(), 2: Second()}
