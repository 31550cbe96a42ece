"""The messages of a thread, as its front-end sends them: all of them, each time."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from shared.codec.hooks import Rule

ID_LIMIT = 255  # characters
NO_CONTENT = "A content must be a text or a list of parts"
NO_PART = "A part of a content must be an object with a type, and one of type 'text' with a text"
CONTENT: Json = {
    "anyOf": [
        {"type": ["string", "object", "null"]},
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
                        "required": ["type", "text"],
                    },
                    {
                        "type": "object",
                        "properties": {"type": {"enum": ["image", "audio", "video", "document"]}},
                        "required": ["type"],
                    },
                ]
            },
        },
    ]
}


def _objection(content: object) -> str | None:
    """What is wrong with a content; the object is an activity's, which nobody reads."""
    match content:
        case None | str() | dict():
            return None
        case list(parts):
            return next(filter(None, map(_part_objection, parts)), None)
    return NO_CONTENT


def _part_objection(part: object) -> str | None:
    match part:
        case {"type": "text", "text": str()}:
            return None
        case {"type": str(kind)} if kind != "text":
            return None
    return NO_PART


Id = Annotated[str, Meta(min_length=1, max_length=ID_LIMIT)]
Content = Annotated[
    Any,
    Rule(_objection),
    Meta(
        description="A text, or parts; of those that are no texts only files by id are used.",
        extra_json_schema=CONTENT,
    ),
]


@frozen
class CalledFunction:
    """What was called, and with what."""

    arguments: str = field(default="", repr=False)


@frozen
class ToolCall:
    """A call that the front-end has been told of."""

    id: str
    function: CalledFunction = CalledFunction()


@frozen
class ThreadMessage:
    """A message of a thread."""

    id: Id
    role: Annotated[str, Meta(description="One of a role that nobody knows is left out.")]
    content: Content = field(default=None, repr=False)
    toolCalls: list[ToolCall] | None = None  # noqa: N815 (the protocol's word)
    toolCallId: str | None = None  # noqa: N815

    @property
    def text(self) -> str:
        """What of it is text."""
        match self.content:
            case str(text):
                return text
            case list(parts):
                return "\n".join(part["text"] for part in parts if part["type"] == "text")
        return ""

    @property
    def file_ids(self) -> Iterator[UUID]:
        """What of it is handles of files that were uploaded here."""
        for part in self.content if isinstance(self.content, list) else []:
            match part.get("source"):
                case {"type": "file", "value": str(handle)} if is_uuid(handle):
                    yield UUID(handle)


def without_nul(text: str) -> str:
    """What PostgreSQL can store of it."""
    return text.replace("\x00", "")


def is_uuid(text: str) -> bool:
    """Whether it is the text of one."""
    try:
        return bool(UUID(text))
    except ValueError:
        return False
