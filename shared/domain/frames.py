"""What happens in a session, in the words of the front-end's frames.

Log entries and answers share one sequence in each session; `seq` is their place in it.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta, convert

from shared.codec.converter import dump
from shared.codec.depth import is_too_deep
from shared.codec.text import read_json, write_json

EMPTY_ANSWER = "The master agent gave an empty answer."  # front-ends draw "" as a tree of JSON
SHOWN_SUCCESS = 100  # characters of what is neither true nor false
DEEP_ANSWER = "The master agent gave an answer that is nested too deeply to be shown."


@frozen(slots=False)
class LogEntry:
    """What an agent logged while it worked on a request."""

    session_id: UUID
    request_id: UUID
    log_level: str
    message: str
    creator_id: UUID | None
    agent_id: str | None
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class FileMetadata:
    """A file that came with a message or with its answer."""

    id: UUID
    session_id: UUID | None
    request_id: UUID | None
    original_name: str
    mimetype: str
    internal_id: UUID
    internal_name: str
    from_agent: bool
    creator_id: UUID | None


type Answer = Annotated[
    dict[str, Any],
    Meta(
        extra_json_schema={
            "properties": {
                "agents_trace": {"type": "array"},
                "response": {"type": "string"},
                "is_success": {"type": "boolean"},
            },
            "required": ["agents_trace", "response", "is_success"],
        }
    ),
]
"""What the master agent answered, in the one form that front-ends can draw: `agents_trace` a list,
`response` a text, `is_success` a boolean; and whatever else it said. Stored as JSON text.
`warning` is ours: `is_success` was neither true nor false, and is taken for false."""


@frozen(slots=False)
class Response:
    """How a request ended."""

    is_success: bool
    execution_time: float
    response: Answer
    request_id: UUID
    session_id: UUID
    files: list[FileMetadata] = field(factory=list)


@frozen(slots=False)
class LogFrame:
    """A log entry, as it happens."""

    log: LogEntry
    seq: int
    type: Literal["agent_log"] = "agent_log"


@frozen(slots=False)
class ResponseFrame:
    """The end of a request: exactly one for each message that was accepted.

    One without `seq` is about a message that was not accepted, and is stored nowhere.
    """

    response: Response
    seq: int | None
    type: Literal["agent_response"] = "agent_response"


@frozen(slots=False)
class FailureFrame(ResponseFrame):
    """The end of a request that failed."""

    error: str = ""


@frozen(slots=False)
class GapFrame:
    """What stood between these two numbers is kept no longer; the next frame is what there is."""

    after: int
    before: int
    type: Literal["gap"] = "gap"


def respond(seq: int | None, response: Response, error: str | None) -> ResponseFrame:
    """The frame of a request that ended."""
    if error is None:
        return ResponseFrame(response, seq)
    return FailureFrame(response, seq, error=error)


def answer_from(value: object) -> Answer:
    """Bring whatever a master agent returned into the form of an answer.

    What has the form already stays as it came.
    """
    given = value if isinstance(value, dict) else {}
    kept = _shallow(given) if "response" in given else {}
    trace, stated = kept.get("agents_trace"), given.get("is_success", True)
    succeeded = _succeeded(stated)
    warning = {"warning": _doubt(stated)} if succeeded is None else {}
    return {
        **warning,
        **kept,
        "agents_trace": trace if isinstance(trace, list) else [],
        "response": _text(given.get("response", value)) or EMPTY_ANSWER,
        "is_success": bool(succeeded),
    }


def _succeeded(stated: object) -> bool | None:
    """What is said of the success; None: neither that it is one nor that it is none."""
    word = stated.strip().lower() if isinstance(stated, str) else stated
    if word in (True, "true", "1", "yes", "on"):
        return True
    return False if word in (False, "false", "0", "no", "off") else None


def _doubt(stated: object) -> str:
    shown = _text(stated)[:SHOWN_SUCCESS]
    return f"The master agent's is_success is neither true nor false, but: {shown}"


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if not is_too_deep(part)}


def failure(reason: str) -> Answer:
    """The answer of a request that failed."""
    return {"agents_trace": [], "response": reason, "is_success": False}


def _text(value: object) -> str:
    if is_too_deep(value):
        return DEEP_ANSWER
    return value if isinstance(value, str) else write_json(value).decode()


def read_frame(text: str) -> LogFrame | ResponseFrame:
    """A frame about a request, as `encode` has written it.

    Nothing is checked that what clients send is checked for: an answer may have NUL characters.
    """
    data: Any = read_json(text)
    if data["type"] == "agent_log":
        return convert(data, LogFrame)
    return convert(data, FailureFrame if "error" in data else ResponseFrame)


def encode(frame: LogFrame | ResponseFrame | GapFrame) -> bytes:
    """The frame as it goes to a socket."""
    return dump(frame)
