"""What the description tells of answers that are made by hand: their forms are OpenAI's."""

from typing import Any

from gateway.openapi.schemas import Json

TEXT: Json = {"type": "string"}


def _answered(object_: str, events: str, properties: Json) -> Json:
    schema = {
        "type": "object",
        "properties": {"id": TEXT, "object": {"const": object_}, "model": TEXT, **properties},
        "required": ["id", "object", "model", *properties],
    }
    return {
        "description": "The answer, or with `stream` its making",
        "content": {
            "application/json": {"schema": schema},
            "text/event-stream": {"schema": {"type": "string", "description": events}},
        },
    }


LIST: Json = {"type": "array", "items": {"type": "object"}}
OBJECT: dict[str, Any] = {"type": "object"}

COMPLETION = _answered(
    "chat.completion",
    "Chunks, and `[DONE]`.",
    {"created": {"type": "integer"}, "choices": LIST, "usage": OBJECT, "genai": OBJECT},
)
RESPONSE = _answered(
    "response",
    "Events, from `response.created` to `response.completed` or `response.failed`.",
    {"created_at": {"type": "integer"}, "output": LIST, "usage": OBJECT, "genai": OBJECT},
)
