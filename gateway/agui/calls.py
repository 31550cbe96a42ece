"""The trace of an answer as calls of tools: which agents were called, with what, and what came."""

from collections.abc import Iterator
from typing import Any

from gateway.agui.texts import deltas
from gateway.openapi.schemas import Json
from shared.codec.text import write_json

RESULT_LIMIT = 1024 * 1024  # characters: it is one event
CUT = "… (cut: the whole is in the trace of the stored answer)"
NAMELESS = "agent"
DETAILS = "id", "type", "is_success", "execution_time"


def tell_call(id_: str, parent: str, step: object, known: str) -> Iterator[Json]:
    """A call of the trace, which may be of any form, and the rest of a known input."""
    given = step if isinstance(step, dict) else {"output": step}
    name = given.get("name")
    details = {key: given[key] for key in DETAILS if given.get(key) is not None}
    yield {
        "type": "TOOL_CALL_START",
        "toolCallId": id_,
        "toolCallName": name if isinstance(name, str) and name else NAMELESS,
        "parentMessageId": parent,
        **({"metadata": details} if details else {}),
    }
    arguments = _text({} if given.get("input") is None else given["input"])
    for delta in deltas(arguments[len(known) :]):
        yield {"type": "TOOL_CALL_ARGS", "toolCallId": id_, "delta": delta}
    yield {"type": "TOOL_CALL_END", "toolCallId": id_}


def tell_result(id_: str, call_id: str, step: object) -> Json:
    """What came of the call."""
    output = step.get("output") if isinstance(step, dict) else step
    text = output if isinstance(output, str) else "" if output is None else _text(output)
    if len(text) > RESULT_LIMIT:
        text = text[:RESULT_LIMIT] + CUT
    return {
        "type": "TOOL_CALL_RESULT",
        "messageId": id_,
        "toolCallId": call_id,
        "content": text,
        "role": "tool",
    }


def _text(value: Any) -> str:
    return write_json(value).decode()
