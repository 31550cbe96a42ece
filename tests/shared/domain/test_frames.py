"""Frames that are read again as they were written, whatever an answer says."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.codec.depth import DEPTH_LIMIT
from shared.domain.frames import (
    FileMetadata,
    LogEntry,
    LogFrame,
    Response,
    answer_from,
    encode,
    failure,
    read_frame,
    respond,
)


def nested(levels: int) -> Any:
    """A list of so many levels."""
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


def make_response(answer: Any, *files: FileMetadata) -> Response:
    return Response(
        is_success=True,
        execution_time=0.5,
        response=answer,
        request_id=uuid4(),
        session_id=uuid4(),
        files=[*files],
    )


@pytest.mark.parametrize(
    "said",
    [
        "plain",
        "a NUL\x00",
        {"response": "x", "agents_trace": [{"name\x00": "\x00"}]},
        {"response": "x", "more": nested(DEPTH_LIMIT)},
        {"response": "x", "more": 10**400},
    ],
    ids=["plain", "NUL", "NUL in the trace", "deep", "large number"],
)
def test_an_answer_is_read_as_it_was_written(said: Any) -> None:
    file = FileMetadata(uuid4(), None, uuid4(), "a", "text/plain", uuid4(), "b", True, None)
    frame = respond(7, make_response(answer_from(said), file), None)
    assert read_frame(encode(frame).decode()) == frame


def test_a_failure_is_read_as_it_was_written() -> None:
    frame = respond(7, make_response(failure("no\x00")), "no\x00")
    assert read_frame(encode(frame).decode()) == frame


def test_a_log_entry_is_read_as_it_was_written() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 (as rows have it)
    entry = LogEntry(uuid4(), uuid4(), "info", "hello", uuid4(), None, now, now)
    frame = LogFrame(entry, 7)
    assert read_frame(encode(frame).decode()) == frame
