"""Chat completions: an answer as one, or as the chunks of a stream."""

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from gateway.completions.errors import FailedAnswerError, OpenAIError
from gateway.completions.speech import (
    VENDOR,
    Asked,
    Ended,
    Event,
    Failed,
    Said,
    Speech,
    Thought,
    answer_of,
    more_of,
    usage_of,
)
from gateway.streams.sse import encode_event
from gateway.web.errors import ApiError
from shared.codec.text import write_json
from shared.domain.frames import ResponseFrame

DONE = encode_event(b"[DONE]")


def _id(asked: Asked) -> str:
    return f"chatcmpl-{asked.request_id}"


def tell_whole(asked: Asked, frame: ResponseFrame, thoughts: Sequence[str]) -> bytes:
    """The completion as JSON."""
    message: dict[str, Any] = {"role": "assistant", "content": answer_of(frame), "refusal": None}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    completion = {
        "id": _id(asked),
        "object": "chat.completion",
        "created": asked.created,
        "model": asked.model,
        "choices": [choice],
        "usage": _usage_of(frame),
        VENDOR: more_of(frame),
    }
    return write_json(completion)


def _usage_of(frame: ResponseFrame) -> dict[str, Any]:
    usage = usage_of(frame)
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


@define
class ChatStream:
    """The chunks of one stream."""

    asked: Asked
    with_usage: bool = False
    _speech: Speech = field(factory=Speech, init=False)
    _begin: bytes = field(init=False)
    _around: tuple[bytes, bytes] = field(init=False)  # a text, as there may be thousands a second

    def __attrs_post_init__(self) -> None:
        fixed = {
            "id": _id(self.asked),
            "object": "chat.completion.chunk",
            "created": self.asked.created,
            "model": self.asked.model,
            **({"usage": None} if self.with_usage else {}),
        }
        self._begin = write_json(fixed)[:-1]
        before, _, after = self._chunk({"content": "x"}).rpartition(b'"x"')
        self._around = before, after

    def begin(self) -> bytes:
        """The first chunk: somebody is at it."""
        return self._chunk({"role": "assistant", "content": ""})

    def tell(self, event: Event) -> bytes:
        """The chunks that an event makes."""
        return b"".join(map(self._tell, self._speech.hear(event)))

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream without an answer."""
        return encode_event(write_json(OpenAIError.of(error)))

    def _tell(self, utterance: object) -> bytes:
        match utterance:
            case Said(text):
                before, after = self._around
                return before + write_json(text) + after
            case Thought(text):
                return self._chunk({"reasoning_content": text})
            case Ended(frame, replaces):
                more = {VENDOR: more_of(frame, replaces=replaces)}
                last = self._chunk({}, "stop", more)
                return last + (self._usage(frame) if self.with_usage else b"") + DONE
            case Failed(reason):
                return self.fail(FailedAnswerError(reason))
        raise AssertionError(utterance)

    def _chunk(
        self, delta: dict[str, str], reason: str | None = None, more: dict[str, Any] | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        rest = write_json({"choices": [choice], **(more or {})})
        return encode_event(b"%b,%b" % (self._begin, rest[1:]))

    def _usage(self, frame: ResponseFrame) -> bytes:
        begin = self._begin.removesuffix(b',"usage":null')
        rest = write_json({"choices": [], "usage": _usage_of(frame)})
        return encode_event(b"%b,%b" % (begin, rest[1:]))
