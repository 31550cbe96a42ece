"""Responses: an answer as one, or as the events of a stream, each with a number."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import define, field

from gateway.completions.errors import SERVER_ERROR, FailedAnswerError
from gateway.completions.speech import (
    THOUGHTS_LIMIT,
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

type Json = dict[str, Any]


def tell_whole(asked: Asked, frame: ResponseFrame, thoughts: Sequence[str]) -> bytes:
    """The response as JSON."""
    items = [_reasoning(asked, "".join(thoughts))] if thoughts else []
    items.append(_message(asked, answer_of(frame)))
    return write_json(_completed(asked, items, frame))


def _completed(asked: Asked, items: list[Json], frame: ResponseFrame, **more: bool) -> Json:
    ended = {"usage": _usage_of(frame), VENDOR: more_of(frame, **more)}
    return _response(asked, "completed", items, ended)


def _usage_of(frame: ResponseFrame) -> Json:
    usage = usage_of(frame)
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.written_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},  # nobody counts them apart
        "total_tokens": usage.total_tokens,
    }


def _response(asked: Asked, status: str, items: list[Json], more: Json) -> Json:
    return {
        "id": f"resp_{asked.request_id}",
        "object": "response",
        "created_at": asked.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": asked.model,
        "output": items,
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        **more,
    }


def _reasoning(asked: Asked, text: str, status: str = "completed") -> Json:
    summary = [_summary(text)] if text else []
    id_ = f"rs_{asked.request_id}"
    return {"id": id_, "type": "reasoning", "status": status, "summary": summary}


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}


def _message(asked: Asked, text: str, status: str = "completed") -> Json:
    content = [_text(text)] if text else []
    return {
        "id": f"msg_{asked.request_id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _text(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


@define
class _Item:
    """A text that is being told: where it stands, and how far it is."""

    place: Json
    is_message: bool
    texts: list[str] = field(factory=list)

    @property
    def text(self) -> str:
        """All of it, so far."""
        return "".join(self.texts)


@define
class ResponseStream:
    """The events of one stream."""

    asked: Asked
    _speech: Speech = field(factory=Speech, init=False)
    _items: list[_Item] = field(factory=list, init=False)
    _number: int = field(default=0, init=False)
    _thought: int = field(default=0, init=False)  # characters

    def begin(self) -> bytes:
        """The first events: somebody is at it."""
        response = _response(self.asked, "in_progress", [], {})
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def tell(self, event: Event) -> bytes:
        """The events that an event makes."""
        told = (self._tell(utterance) for utterance in self._speech.hear(event))
        return b"".join(piece for pieces in told for piece in pieces)

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream without an answer."""
        failed = {"error": {"code": SERVER_ERROR, "message": error.detail}}
        return self._event(
            "response.failed", response=_response(self.asked, "failed", [], {}) | failed
        )

    def _tell(self, utterance: object) -> Iterator[bytes]:
        match utterance:
            case Thought(text):
                left = THOUGHTS_LIMIT - self._thought
                self._thought += len(text)
                if left > 0:
                    yield from self._go_on(text[:left], is_message=False)
            case Said(text):
                yield from self._go_on(text, is_message=True)
            case Ended(frame, replaces):
                for item in self._items:
                    yield from self._close(item)
                items = [self._whole(item) for item in self._items]
                response = _completed(self.asked, items, frame, replaces=replaces)
                yield self._event("response.completed", response=response)
            case Failed(reason):
                yield self.fail(FailedAnswerError(reason))

    def _go_on(self, text: str, *, is_message: bool) -> Iterator[bytes]:
        item = next((item for item in self._items if item.is_message == is_message), None)
        if item is None:
            item = self._new(is_message=is_message)
            yield from self._open(item)
        item.texts.append(text)
        kind = "output_text" if is_message else "reasoning_summary_text"
        more: Json = {"logprobs": []} if is_message else {}
        yield self._event(f"response.{kind}.delta", **item.place, delta=text, **more)

    def _new(self, *, is_message: bool) -> _Item:
        prefix, index = ("msg", "content_index") if is_message else ("rs", "summary_index")
        id_ = f"{prefix}_{self.asked.request_id}"
        item = _Item({"item_id": id_, "output_index": len(self._items), index: 0}, is_message)
        self._items.append(item)
        return item

    def _open(self, item: _Item) -> Iterator[bytes]:
        make = _message if item.is_message else _reasoning
        opened = make(self.asked, "", "in_progress")
        index = item.place["output_index"]
        yield self._event("response.output_item.added", output_index=index, item=opened)
        yield self._part(item, "added", "")

    def _close(self, item: _Item) -> Iterator[bytes]:
        kind = "output_text" if item.is_message else "reasoning_summary_text"
        more: Json = {"logprobs": []} if item.is_message else {}
        yield self._event(f"response.{kind}.done", **item.place, text=item.text, **more)
        yield self._part(item, "done", item.text)
        index = item.place["output_index"]
        yield self._event("response.output_item.done", output_index=index, item=self._whole(item))

    def _part(self, item: _Item, what: str, text: str) -> bytes:
        kind = "content_part" if item.is_message else "reasoning_summary_part"
        part = _text(text) if item.is_message else _summary(text)
        return self._event(f"response.{kind}.{what}", **item.place, part=part)

    def _whole(self, item: _Item) -> Json:
        make = _message if item.is_message else _reasoning
        return make(self.asked, item.text)

    def _event(self, type_: str, **more: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        data = write_json({"type": type_, "sequence_number": number, **more})
        return encode_event(data, event=type_)
