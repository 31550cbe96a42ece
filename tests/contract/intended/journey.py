"""What the journey through the front-end meets otherwise."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from gateway.llms.prompt import DEFAULT_SYSTEM_PROMPT
from tests.contract.areas import RECORDED_KEY
from tests.contract.binding import ANY_ID, ANY_TIME
from tests.contract.differences import Change, Difference, edits, refuses, says, wherever, without
from tests.contract.intended.accounts import OAUTH, WRONG_LOGIN
from tests.contract.intended.agents import ADDED
from tests.contract.intended.chat_frames import FAILS, failed
from tests.contract.intended.chats import downloads, named_as
from tests.contract.intended.llms import walk
from tests.contract.intended.strangers import REFUSED, SAID_OF_ITSELF, WHY
from tests.contract.journey import Step, is_turn, load_steps

STORED = "Design, section 6: frames that are stored carry `seq` (`?after=<seq>` replays)"
USER = "00ee4494-59a0-431a-aaed-5c4570624cf1"
RECORDED_ML_KEY = "e1adc3d8-fca1-40b2-b90a-7b48290f2d6a::master_server_ml"
CREATED = {"id": ANY_ID, "username": "journey123736c", "created_at": ANY_TIME}
FAILURES = {
    "stub master failed on purpose": "stub master failed on purpose",
    "Agent is NOT active": "The master agent is not connected, please try again later",
}

type Json = dict[str, Any]


def numbered(because: str, change: Change, *numbers: str) -> Difference:
    """A difference of the cases of these numbers."""
    return wherever(because, lambda case: case.name.split()[0] in numbers, change)


def throughout(because: str, change: Callable[[Json], Json]) -> Difference:
    """A difference of all bodies and frames that hold such objects."""
    return wherever(
        because,
        lambda case: bool(walk(change, case.answer.body) != case.answer.body),
        edits(lambda body: walk(change, body)),
    )


def _masked(thing: Json) -> Json:
    return {**thing, "api_key": "********"} if thing.get("api_key") == "<ciphertext>" else thing


def _with_creator(thing: Json) -> Json:
    return {**thing, "creator_id": USER} if "log_level" in thing else thing


def _redacted(thing: Json) -> Json:
    if "log_level" not in thing:
        return thing
    message = thing["message"]
    for secret in (RECORDED_KEY, RECORDED_ML_KEY):
        message = message.replace(secret, "********")
    return {**thing, "message": message}


def _with_success(thing: Json) -> Json:
    return (
        {"is_success": True, **thing} if "execution_time" in thing and "files" in thing else thing
    )


def _as_failure(thing: Json) -> Json:
    """The frame of a failed answer, and its content in the history."""
    if reason := FAILURES.get(thing.get("content", "")):
        told = {"agents_trace": [], "response": reason, "is_success": False}
        return {**thing, "content": json.dumps(told)}
    response = thing.get("response")
    if not isinstance(response, dict) or not (reason := FAILURES.get(str(response["response"]))):
        return thing
    frame = failed(reason)
    ids = {name: response[name] for name in ("request_id", "session_id")}
    return {**thing, **frame, "response": {**frame["response"], **ids}}


def _with_cause(thing: Json) -> Json:
    beginning, *_ = str(thing.get("detail", "")).split(". Make sure your MCP")
    if not beginning.startswith(("Could not access MCP", "Cannot retrieve data about a2a")):
        return thing
    return {"detail": f"{beginning}. {REFUSED}"}


def _session_id(frame: Json) -> str:
    return str((frame.get("log") or frame["response"])["session_id"])


def _number(steps: Sequence[Step]) -> Iterator[Difference]:
    """Each frame's `seq` is one further in its session; an answer that was not awaited has one."""
    following: dict[str, int] = {}
    for case in (case for step in steps for case in step.cases if is_turn(case)):
        frames = case.answer.body["frames"]
        session_id = _session_id(frames[-1])
        first = following.get(session_id, 1)
        following[session_id] = first + len(frames) + ("log" in frames[-1])
        yield numbered(STORED, edits(partial(_with_numbers, first)), case.name.split()[0])


def _with_numbers(first: int, body: Json) -> Json:
    frames = [{**frame, "seq": seq} for seq, frame in enumerate(body["frames"], first)]
    return {**body, "frames": frames}


JOURNEY = [
    SAID_OF_ITSELF,
    ADDED,
    numbered(OAUTH, says(400, WRONG_LOGIN), "4.0"),
    numbered("Section 5: registration answers with the password hash", without("password"), "1.0"),
    numbered(
        "Section 2: a special character is any ASCII punctuation",
        says(200, {**CREATED, "updated_at": ANY_TIME}),
        "3.0",
    ),
    wherever(
        "Section 2: write our own default prompt",
        lambda case: case.call.path == "/api/llm/model/prompt" and case.answer.status == 200,
        says(200, {"system_prompt": DEFAULT_SYSTEM_PROMPT}),
    ),
    throughout("Section 2: the API shows `********` where there is a key", _masked),
    numbered(
        "Section 5, 500 where it should be 4xx: names already taken",
        refuses("Config 'm2-123736' already exists"),
        "10.0",
    ),
    numbered(
        "Section 2: the API shows null where there is no key",
        edits(lambda body: {**body, "api_key": None}),
        "13.0",
    ),
    throughout("Section 3: `{is_success, execution_time, …}`", _with_success),
    throughout(FAILS, _as_failure),
    throughout("Section 5: `creator_id` of logs is never filled", _with_creator),
    *_number(load_steps()),
    throughout("Section 5: redact known secrets of the request", _redacted),
    numbered(
        "Section 2: a chat is deleted with its messages, logs and files", says(200, []), "48.4"
    ),
    numbered(
        "Section 2: `POST /api/mcp/servers` answers as recorded plus `id`",
        edits(lambda body: {**body, "id": ANY_ID}),
        "49.1",
    ),
    throughout(WHY, _with_cause),
    downloads(
        "147e66c0-62f6-4c71-9e53-8a73107fa559", named_as("notes a.txt", "notes%20%C3%A4.txt")
    ),
    downloads("33b3953d-8111-4e92-b5e8-1c26bd973f48", named_as("dot.png", "dot.png")),
    downloads("291de1a4-364b-4b7f-94e1-1b33cce98dcf", named_as("made.txt", "made.txt")),
]
