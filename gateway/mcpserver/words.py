"""What happens to a call, in the messages of MCP. It awaits nothing and knows no HTTP."""

from collections.abc import Sequence
from typing import Any

from attrs import define, field
from mcp_types import ErrorData

from gateway.mcpserver.exchanges import error_of, result_of
from gateway.mcpserver.places import Place
from gateway.openapi.schemas import Json
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.codec.depth import is_too_deep
from shared.codec.text import read_json, write_json
from shared.domain.frames import FailureFrame, LogFrame, Response, ResponseFrame
from shared.domain.usage import tell_usage, usage_in

PROGRESS_LIMIT = 4096  # characters of a message
TRACE_LIMIT = 128 * 1024  # bytes of JSON
STRUCTURED_LIMIT = 128 * 1024  # characters
REQUEST_CANCELLED = -32800  # as the SDK ends what was cancelled, for clients that wait for an end

META = "genai"
TRACE = f"{META}/agents_trace"


@define
class Telling:
    """One call, and how far its client is with it."""

    place: Place
    with_session: bool
    """Whether the result has a structure that names the session, as the tool `ask` promises."""
    has_failed: bool = field(default=False, init=False)
    """Whether its client was told that there will be no result."""
    is_told: bool = field(init=False)
    """Whether its client wants to hear of progress."""

    def __attrs_post_init__(self) -> None:
        self.is_told = self.place.token is not None

    def tell(self, event: Part | LogFrame) -> Json | None:
        """The progress that it is, for a client that wants to hear of it."""
        match event:
            case Part(text=text):
                message, seq = text, None
            case LogFrame(log=entry, seq=seq):
                message = entry.message
        if not self.is_told or not message:
            return None
        self.place = self.place.later(seq)
        told = {"progressToken": self.place.token, "progress": self.place.progress}
        cut = message if len(message) <= PROGRESS_LIMIT else f"{message[: PROGRESS_LIMIT - 1]}…"
        return notification("notifications/progress", {**told, "message": cut})

    def end(self, frame: ResponseFrame, files: Sequence[Json]) -> Json:
        """The response; the files are those of the answer, as contents."""
        error = frame.error if isinstance(frame, FailureFrame) else None
        if error == CANCELLED:
            return error_of(self.place.id, ErrorData(code=REQUEST_CANCELLED, message=error))
        return result_of(self.place.id, self._result(frame.response, error, files))

    def fail(self, code: int, reason: str) -> Json:
        """The response where there will be no result."""
        self.has_failed = True
        return error_of(self.place.id, ErrorData(code=code, message=reason))

    def _result(self, response: Response, error: str | None, files: Sequence[Json]) -> Json:
        answer = response.response
        text = answer["response"] if error is None else error
        is_error = error is not None or not answer["is_success"]
        result = {
            "content": [text_content(text), *files],
            "isError": is_error,
            "_meta": _meta(response),
        }
        structure = None if is_error else self._structure(response, text)
        return result if structure is None else {**result, "structuredContent": structure}

    def _structure(self, response: Response, text: str) -> Json | None:
        if self.with_session:
            return {"answer": text, "session_id": str(response.session_id)}
        return _object_in(text)


def notification(method: str, params: Json) -> Json:
    """A message that nobody answers."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def text_content(text: str) -> Json:
    """A text, as content."""
    return {"type": "text", "text": text}


def refusal(reason: str) -> Json:
    """The result of a call that can't be made, for whoever made it to read."""
    return {"content": [text_content(reason)], "isError": True}


def _object_in(text: str) -> Json | None:
    """The object whose JSON a text is, as agents' answers of that form are stored."""
    if not text.startswith("{") or len(text) > STRUCTURED_LIMIT:
        return None
    try:
        found: Any = read_json(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and not is_too_deep(found) else None


def _meta(response: Response) -> Json:
    trace = response.response["agents_trace"]
    is_small = len(write_json(trace)) <= TRACE_LIMIT
    used = tell_usage(usage_in(response.response))
    return {
        f"{META}/request_id": str(response.request_id),
        f"{META}/session_id": str(response.session_id),
        f"{META}/execution_time": response.execution_time,
        **({f"{META}/usage": used} if used else {}),
        **({TRACE: trace} if is_small else {f"{META}/agents_trace_left_out": len(trace)}),
    }
