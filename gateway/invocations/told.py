"""What tools and A2A agents answer, as it is told: without what their servers are sent."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve
from msgspec import UNSET, UnsetType

from gateway.a2a.calling import Answered
from gateway.invocations.tool_schemas import A2AAnswer, ToolAnswer, ToolContent
from gateway.mcp.called import Result
from shared.secrets import forms_of, hide

# The protocol's words for what a part may have, and ours.
WORDS = {"text": "text", "mimeType": "mime_type", "uri": "uri", "name": "name"}


class Hiding:
    """Hides what a server is sent: it may repeat that to members of a group."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._forms = forms_of(_secrets(headers))

    def __call__(self, value: Any) -> Any:
        """The same value without secrets in its texts."""
        match value:
            case str():
                return hide(value, self._forms)
            case dict():
                return {self(key): self(one) for key, one in value.items()}
            case list():
                return [self(one) for one in value]
        return value


def _secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """The values, and of an `Authorization` and the like the token alone."""
    for value in headers.values():
        yield value
        yield value.rpartition(" ")[2]


def tool_answer(result: Result, hiding: Hiding) -> ToolAnswer:
    """What a tool answers. What no version of the protocol has is told as "other"."""
    structured = hiding(result.get("structuredContent", UNSET))
    content = [_content(hiding(part)) for part in result.get("content", [])]
    answer = ToolAnswer(result.get("isError") is True, content)
    return answer if structured is UNSET else evolve(answer, structured_content=structured)


def _content(part: Any) -> ToolContent:
    match part:
        case {"type": "resource", "resource": dict() as resource}:
            return ToolContent("resource", data=_text(resource.get("blob")), **_texts(resource))
        case {"type": "text" | "image" | "audio" | "resource_link" as kind}:
            return ToolContent(kind, data=_text(part.get("data")), **_texts(part))
    return ToolContent("other")


def _texts(part: Mapping[str, Any]) -> dict[str, str | UnsetType]:
    return {ours: _text(part.get(word)) for word, ours in WORDS.items()}


def _text(value: object) -> str | UnsetType:
    return value if isinstance(value, str) else UNSET


def a2a_answer(answered: Answered, hiding: Hiding) -> A2AAnswer:
    """What an A2A agent answers."""
    return A2AAnswer(hiding(answered.texts), answered.others, answered.state)
