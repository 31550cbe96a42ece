"""The recorded calls and answers, as they lie in `recordings/`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

RECORDINGS = Path(__file__).parent / "recordings"


@frozen
class Call:
    """What was sent; the body is JSON, or `{"raw" | "form" | "multipart": …}`."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, Any] | None
    body: Any


@frozen
class Answer:
    """What came; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


@frozen
class Case:
    """A call with its answer, under the recording's own name for it."""

    name: str
    call: Call
    answer: Answer


def load(name: str) -> dict[str, Any]:
    """A recording as it is."""
    recording: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return recording


def load_cases(name: str, key: str = "cases") -> list[Case]:
    """The calls of a recording, in order."""
    return [read_case(case) for case in load(name)[key]]


def read_case(recorded: dict[str, Any]) -> Case:
    """One recorded call."""
    call, answer = recorded["request"], recorded["response"]
    return Case(
        recorded["case"],
        Call(call["method"], call["path"], call["headers"], call["query"], call["body"]),
        Answer(answer["status"], answer["headers"], answer["body"]),
    )
