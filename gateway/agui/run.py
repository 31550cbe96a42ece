"""What happens to a request, as the events of a run.

All ids follow from the request's, and a front-end sends what it has: so whoever asks for the same
answer again is told only what is missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from gateway.agui.calls import tell_call, tell_result
from gateway.agui.messages import ThreadMessage
from gateway.agui.texts import ANSWER, REASONING, Kind, Text
from gateway.openapi.schemas import Json
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.codec.converter import unstructure
from shared.domain.frames import FailureFrame, LogFrame, Response, ResponseFrame
from shared.domain.usage import Usage, usage_in

PROTOCOL_VERSION = "1.0"


@frozen
class Known:
    """What a front-end has of an answer: texts of messages, inputs of calls, and whose results."""

    texts: dict[str, str] = field(factory=dict)
    calls: dict[str, str] = field(factory=dict)
    results: set[str] = field(factory=set)


def known_of(messages: Iterable[ThreadMessage], request_id: UUID) -> Known:
    """What of this request's is in the messages that a front-end has."""
    known, own = Known(), f"{request_id}:"
    for message in messages:
        if message.id.startswith(own):
            known.texts[message.id] = message.text
        for call in message.toolCalls or []:
            if call.id.startswith(own):
                known.calls[call.id] = call.function.arguments
        if message.toolCallId is not None and message.toolCallId.startswith(own):
            known.results.add(message.toolCallId)
    return known


def fail(code: str, reason: str) -> Json:
    """The end of a run that failed."""
    return {"type": "RUN_ERROR", "message": reason, "code": code}


def _error_of(frame: ResponseFrame) -> str | None:
    return frame.error if isinstance(frame, FailureFrame) else None


def _tell_usage(usage: Usage) -> Json:
    told = {
        "provider": usage.provider,
        "model": usage.model,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "cachedInputTokens": usage.cached_tokens,
        "cacheWriteInputTokens": usage.written_tokens,
    }
    return {name: value for name, value in told.items() if value is not None}


@define
class Run:
    """One run, and how far its front-end is with it."""

    thread_id: str
    run_id: str
    request_id: UUID
    known: Known = field(factory=Known)
    _texts: dict[str, Text] = field(factory=dict, init=False)

    def start(self) -> Json:
        """That it has begun."""
        return {"type": "RUN_STARTED", **self._names(), "protocolVersion": PROTOCOL_VERSION}

    def tell(self, event: Part | LogFrame | ResponseFrame) -> Iterator[Json]:
        """What has happened; a response ends the run."""
        match event:
            case Part(agent_id=None, text=text):
                return self._answer().say(text)
            case Part(agent_id=agent_id, text=text):
                return self._reasoning(str(agent_id)).say(text)
            case LogFrame():
                return self._log(event)
        return self._end(event)

    def _log(self, frame: LogFrame) -> Iterator[Json]:
        entry = frame.log
        told = {"log_level": entry.log_level, "seq": frame.seq, "agent_id": entry.agent_id}
        return self._reasoning("log").say(
            f"{entry.message}\n",
            timestamp=int(entry.created_at.replace(tzinfo=UTC).timestamp() * 1000),
            metadata={name: value for name, value in told.items() if value is not None},
        )

    def _end(self, frame: ResponseFrame) -> Iterator[Json]:
        answer, error = frame.response.response, _error_of(frame)
        for reasoning in self._texts.values():
            if reasoning.kind is REASONING:
                yield from reasoning.end()
        calls = self._calls(answer["agents_trace"])
        if error is not None:
            yield from self._answer().end()
            yield from calls
            yield self._cancel() if error == CANCELLED else fail("failed", error)
            return
        text = self._complete(answer["response"])
        for part in (text, calls) if self._answer().is_begun else (calls, text):
            yield from part
        yield self._finish(frame.response)

    def _complete(self, answer: str) -> Iterator[Json]:
        """The rest of the answer, or all of it as another message where the parts were not it."""
        told = self._answer()
        if (rest := told.complete(answer)) is not None:
            yield from rest
            return
        yield from told.end()
        yield from self._text(ANSWER, "whole").complete(answer) or ()

    def _calls(self, trace: Sequence[Any]) -> Iterator[Json]:
        for number, step in enumerate(trace):
            id_ = self._id(f"call:{number}")
            if id_ not in self.known.results:
                yield from tell_call(id_, self._answer().id, step, self.known.calls.get(id_, ""))
                yield tell_result(self._id(f"result:{number}"), id_, step)

    def _cancel(self) -> Json:
        return {"type": "RUN_FINISHED", **self._names(), "outcome": {"type": "cancelled"}}

    def _finish(self, response: Response) -> Json:
        result = {
            "request_id": str(response.request_id),
            "session_id": str(response.session_id),
            "is_success": response.response["is_success"],
            "execution_time": response.execution_time,
            "files": unstructure(response.files),
        }
        used = [*map(_tell_usage, usage_in(response.response))]
        more = {"usage": used} if used else {}
        return {"type": "RUN_FINISHED", **self._names(), "result": result, **more}

    def _names(self) -> Json:
        return {"threadId": self.thread_id, "runId": self.run_id}

    def _answer(self) -> Text:
        return self._text(ANSWER, "answer")

    def _reasoning(self, name: str) -> Text:
        return self._text(REASONING, name)

    def _text(self, kind: Kind, name: str) -> Text:
        id_ = self._id(name)
        if name not in self._texts:
            self._texts[name] = Text(kind, id_, self.known.texts.get(id_, ""))
        return self._texts[name]

    def _id(self, name: str) -> str:
        return f"{self.request_id}:{name}"
