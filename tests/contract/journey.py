"""The recorded journey through the front-end, step by step: calls, and turns of its chats.

A turn is one message and the frames that came of it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from attrs import evolve, frozen

from tests.contract.binding import ANY_TEXT
from tests.contract.cases import Answer, Call, Case, load

SOCKETS = "/frontend/ws"
TOKEN = "<token:A>"
BAD_TOKEN = "<token:bad>"
UPLOADS = {
    "notes ä.txt": {"content_type": "text/plain", "content": "some notes..."},
    "dot.png": {"content_type": "image/png", "content": "\x89PNG" + "." * 66},
}
# Calls that were sent before the step's message was; in all other steps it comes first.
BEFORE_THE_TURN = {
    "chat: attach a text file and send it (the master agent answers with JSON: shown as a tree)": 3,
    "chat: attach an image only, no text": 3,
    "chat: the master agent fails: something is shown, the spinner stops": 2,
}
# What the recorder did not keep: the rest of a text, the rest of a list, a whole body.
_CUT = re.compile(r"(.*)\.\.\.<(\d+) characters>", re.DOTALL)
_MORE = re.compile(r"<(\d+) more>")
_UNREAD = re.compile(r"<not kept by the browser.*|<0 bytes>")
_AGAIN = "<same as the last time>"
_OF_INTEREST = {"content-type", "content-length", "content-disposition", "www-authenticate"}


@frozen
class Step:
    """What was done between two looks at the page; whether the chat's socket was left at its end.

    Cases are named `<step>.<number> <what for>: <what is sent>`.
    """

    cases: Sequence[Case]
    leaves: bool


def is_turn(case: Case) -> bool:
    """Whether it is a message on a socket; without a query it takes the open one."""
    return case.call.path == SOCKETS


@cache
def load_steps() -> list[Step]:
    """The journey in order."""
    last: dict[str, Any] = {}
    return [
        _read_step(number, step, last)
        for number, step in enumerate(load("frontend-journey")["steps"])
    ]


def _read_step(number: int, step: dict[str, Any], last: dict[str, Any]) -> Step:
    calls = [call for call in step["calls"] if "status" in call]
    names = list(_upload_names(calls))
    cases = [_read_call(call, step["step"], names, last) for call in calls]
    before = BEFORE_THE_TURN.get(step["step"], 0)
    cases[before:before] = _read_turn(step["frames"])
    named = [
        evolve(case, name=f"{number}.{index} {step['step'][:48]}: {case.name}"[:99])
        for index, case in enumerate(cases)
    ]
    return Step(named, any(frame["dir"] == "closed" for frame in step["frames"]))


def _upload_names(calls: list[Any]) -> Iterator[str]:
    """The names of the files that are uploaded, as they are shown afterwards."""
    for sent, shown in pairwise(calls):
        if sent["path"] == "/files" and sent["method"] == "POST":
            yield shown["response_body"]["original_name"]


def _read_call(call: dict[str, Any], step: str, names: list[str], last: dict[str, Any]) -> Case:
    method, path, query = call["method"], call["path"], call.get("query")
    key = f"{method} {path} {query}"
    body = call.get("response_body")
    last[key] = body = last[key] if body == _AGAIN else body
    headers = dict(call.get("request_headers") or {"Content-Type": "application/json"})
    sent = call.get("request_body")
    if method == "POST" and path == "/files":
        name = names.pop(0)
        headers = {"Content-Type": "multipart/form-data"}
        sent = {"multipart": {"file": {"filename": name, **UPLOADS[name]}}}
    elif isinstance(sent, str):
        sent = {"raw": sent}
    if call.get("token") != "none":
        token = BAD_TOKEN if step.startswith("a bad token") else TOKEN
        headers["Authorization"] = f"Bearer {token}"
    answer = Answer(call["status"], call.get("response_headers") or {}, _open(_labelled(body)))
    return Case(f"{method} {path}", Call(method, path, headers, query, sent), answer)


def _read_turn(frames: list[Any]) -> Iterator[Case]:
    """The turn of a step, if it has one; log entries in the order of their making come first."""
    by_dir: dict[str, list[Any]] = {}
    for frame in frames:
        by_dir.setdefault(frame["dir"], []).append(frame.get("data", frame))
    for sent in by_dir.get("browser->backend", []):
        opened = by_dir.get("open", [{"query": None}])[0]["query"]
        query = opened and {**opened, "token": TOKEN}
        heard = sorted(by_dir["backend->browser"], key=_order)
        answer = Answer(101, {}, {"frames": _open(heard), "closed": None})
        yield Case(f"says {sent['message']!r}", Call("GET", SOCKETS, {}, query, sent), answer)


def _order(frame: Any) -> str:
    """Log entries by their time, then the answer."""
    return str(frame["log"]["created_at"]) if "log" in frame else "answer"


def _labelled(body: Any) -> Any:
    """The body with a name for each token."""
    if isinstance(body, list):
        return [_labelled(item) for item in body]
    if not isinstance(body, dict):
        return body
    labels = {"access_token": TOKEN}
    if agent := body.get("agent_id", body.get("id")):
        labels |= dict.fromkeys(("jwt", "agent_jwt"), f"<token:{agent}>")
    return {key: labels.get(key, _labelled(value)) for key, value in body.items()}


@cache
def _beginnings() -> list[tuple[str, str]]:
    """The beginnings of texts that were cut, with the whole length of each; longest first."""
    return sorted(set(_cuts(load("frontend-journey")["steps"])), key=lambda cut: -len(cut[0]))


def _cuts(recorded: Any) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, str) and (cut := _CUT.fullmatch(recorded)):
        yield cut.group(1), cut.group(2)
    elif isinstance(recorded, dict):
        yield from _cuts(list(recorded.values()))
    elif isinstance(recorded, list):
        for item in recorded:
            yield from _cuts(item)


def _open(recorded: Any) -> Any:
    """Texts that were cut end in any text, after the most that is known of them."""
    if isinstance(recorded, str) and (cut := _CUT.fullmatch(recorded)):
        kept, length = cut.groups()
        known = (text for text, of in _beginnings() if of == length and text.startswith(kept))
        return next(known) + ANY_TEXT
    if isinstance(recorded, dict):
        return {key: _open(value) for key, value in recorded.items()}
    return [_open(item) for item in recorded] if isinstance(recorded, list) else recorded


def as_kept(recorded: Answer, ours: Answer) -> Answer:
    """Our answer as the recorder would have kept it."""
    headers = {name: value for name, value in ours.headers.items() if name in _OF_INTEREST}
    unread = isinstance(recorded.body, str) and _UNREAD.fullmatch(recorded.body)
    body = recorded.body if unread or recorded.body is None else _kept(recorded.body, ours.body)
    return Answer(ours.status, headers, body)


def _kept(recorded: Any, ours: Any) -> Any:
    """Lists without what was left out then, and answers in the history spaced as then."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        kept = {key: _kept(recorded.get(key), value) for key, value in ours.items()}
        is_cut = str(recorded.get("content")).endswith(ANY_TEXT)
        return {**kept, "content": json.dumps(json.loads(ours["content"]))} if is_cut else kept
    if isinstance(recorded, list) and isinstance(ours, list):
        if recorded and isinstance(recorded[-1], str) and _MORE.fullmatch(recorded[-1]):
            count = len(recorded) - 1
            ours = [*ours[:count], f"<{len(ours) - count} more>"]
        pairs = zip(recorded, ours, strict=False)
        return [_kept(*pair) for pair in pairs] + ours[len(recorded) :]
    return ours
