"""What goes over the front-end's WebSocket, and what is stored of it."""

from collections.abc import Callable
from typing import Any

from tests.contract.areas import RECORDED_KEY
from tests.contract.binding import ANY_ID, ANY_TEXT, ANY_TIME, NOBODY
from tests.contract.cases import Answer, Case
from tests.contract.differences import Change, Difference, edits, wherever
from tests.contract.intended.chats import too_small

A = "97a01264-1f69-4de6-afdd-305530699489"

HANDSHAKE = "Section 3: handshake refused with 403: no or bad token"
FAULTS = "Section 3: `Details: <the faults as JSON>` in the form of section 1; it stays open"
SPINNER = "Section 3: so that the spinner ends, an `agent_response` with the sentence follows it"
ONLY_MESSAGE = "Section 3: only `message` is required"
FAILS = (
    "Section 3: a message that fails gets the same frame, with `is_success` false and the reason"
)
AS_TEXT = "Section 3: anything else is brought into the form of an answer"
OWN_ONLY = "Section 5: two chats at a time swap answers; logs go to whoever connected last"

OWN_FILE = {
    "id": "2d71202b-bd2f-4250-990a-ed83fc8b820a",
    "session_id": ANY_ID,
    "request_id": ANY_ID,
    "original_name": "doc.txt",
    "mimetype": "text/plain",
    "internal_id": "2d71202b-bd2f-4250-990a-ed83fc8b820a",
    "internal_name": "2d71202b-bd2f-4250-990a-ed83fc8b820a.txt",
    "from_agent": False,
    "creator_id": A,
}

type Frame = dict[str, Any]


def named(because: str, change: Change, *beginnings: str) -> Difference:
    """A difference of the cases whose names begin so."""
    return wherever(because, lambda case: case.name.startswith(beginnings), change)


def heard(*frames: Frame, status: int = 101, closed: int | None = None) -> Change:
    """Other frames altogether."""
    return lambda _: Answer(status, {}, {"frames": list(frames), "closed": closed})


def each(change: Callable[[Frame], Frame]) -> Change:
    """The recorded frames, each changed."""
    return edits(lambda body: {**body, "frames": [change(one) for one in body["frames"]]})


def holds(key: str, value: str) -> Callable[[Case], bool]:
    """Whether a chat has a frame of this type."""

    def applies(case: Case) -> bool:
        body = case.answer.body
        frames = body.get("frames", []) if isinstance(body, dict) else []
        return any(frame.get(key) == value for frame in frames)

    return applies


def fault(kind: str, message: str, given: Any, *loc: Any) -> Frame:
    """What is said to one malformed frame."""
    return {"faults": [{"type": kind, "loc": list(loc), "msg": message, "input": given}]}


def failed(reason: str, *files: Frame) -> Frame:
    """A failed answer."""
    told = {"agents_trace": [], "response": reason, "is_success": False}
    frame = {**_frame(told, is_success=False), "error": reason}
    return {**frame, "response": {**frame["response"], "files": list(files)}}


def succeeded(text: str) -> Frame:
    """What the master agent said as a text, in the form of an answer."""
    return _frame({"agents_trace": [], "response": text, "is_success": True}, is_success=True)


def echo(message: str, seq: int = 1) -> Frame:
    """The master agent's own answer."""
    text = f"echo: {message}"
    trace = [{"name": "MasterAgent", "output": text, "is_success": True}]
    told = {"agents_trace": trace, "response": text, "is_success": True}
    return {**_frame(told, is_success=True), "seq": seq}


def _frame(told: Frame, *, is_success: bool) -> Frame:
    response = {
        "is_success": is_success,
        "execution_time": 0.0,
        "response": told,
        "request_id": ANY_ID,
        "session_id": ANY_ID,
        "files": [],
    }
    return {"type": "agent_response", "seq": 1, "response": response}


def _numbered(body: Any) -> Any:
    typed = [frame for frame in body["frames"] if "type" in frame]
    for seq, frame in enumerate(typed, 1):
        frame["seq"] = seq
    return body


def _with_creator(frame: Frame) -> Frame:
    return {**frame, "log": {**frame["log"], "creator_id": A}} if "log" in frame else frame


def _redacted(frame: Frame) -> Frame:
    if "log" not in frame:
        return frame
    message = frame["log"]["message"]
    for secret in (RECORDED_KEY, "sk-secret"):
        message = message.replace(secret, "********")
    return {**frame, "log": {**frame["log"], "message": message}}


def _with_success(frame: Frame) -> Frame:
    response = frame.get("response")
    if not isinstance(response, dict) or not isinstance(response["response"], dict):
        return frame
    return {**frame, "response": {"is_success": True, **response}}


def _texts(body: Any) -> Any:
    inner = {"agents_trace": [], "response": ANY_TEXT, "is_success": True}
    *logs, answer = body["frames"]
    response = {**answer["response"], "response": inner, "is_success": True}
    return {**body, "frames": [*logs, {**answer, "response": response}]}


def _without_urls(body: Any) -> Any:
    kept = ("type", "loc", "msg", "input")
    frames = [
        {"faults": [{k: one[k] for k in kept} for one in frame["faults"]]}
        if "faults" in frame
        else frame
        for frame in body["frames"]
    ]
    return {**body, "frames": frames}


def _with_refusals(body: Any) -> Any:
    frames = []
    for frame in body["frames"]:
        frames += [frame, {**failed(ANY_TEXT), "seq": None}] if "faults" in frame else [frame]
    return {**body, "frames": frames}


def _in_our_order(body: Any) -> Any:
    [frame] = body["frames"]
    message, provider, name, files = frame["faults"]
    own = {**files, "msg": "Input should be a valid list"}
    return {**body, "frames": [{"faults": [message, name, provider, own]}]}


def _refused_once(body: Any) -> Any:
    told = "Invalid JSON: unexpected character, expected a string key"
    return {**body, "frames": [*body["frames"][:3], fault("json_invalid", told, "{bad", 1)]}


def _without_files(frame: Frame) -> Frame:
    if "response" not in frame:
        return frame
    return {**frame, "response": {**frame["response"], "files": []}}


def _has_faults(case: Case) -> bool:
    return isinstance(case.answer.body, dict) and "'faults'" in str(case.answer.body)


def _without_host(page: Frame) -> Frame:
    links = {key: page.get(key) for key in ("next_page", "previous_page")}
    return {**page, **{key: link and link[link.index("/api/") :] for key, link in links.items()}}


def _first(count: int) -> Callable[[Any], Any]:
    return lambda body: {**body, "items": body["items"][:count]}


def _answered(body: Any) -> Any:
    [question] = body["items"]
    content = '{"agents_trace": [{"name": "MasterAgent", "output": "echo: sleep 1 A-secret", '
    content += '"is_success": true}], "response": "echo: sleep 1 A-secret", "is_success": true}'
    answer = {"sender_type": "master_agent", "content": content, "created_at": ANY_TIME}
    own = {**question, "request_id": ANY_ID, "created_at": ANY_TIME}
    return {**body, "total_count": 2, "items": [{**answer, "request_id": ANY_ID}, own]}


def _of_b(body: Any) -> Any:
    content = '{"agents_trace": [{"name": "MasterAgent", "output": "echo: sleep 3 B", '
    content += '"is_success": true}], "response": "echo: sleep 3 B", "is_success": true}'
    answer, question = ({**one, "request_id": ANY_ID} for one in body["items"])
    return {**body, "items": [{**answer, "content": content}, question]}


def _left(body: Any) -> Any:
    told = failed("The master agent left before the answer came")
    return {**body, "frames": [body["frames"][0], told]}


SOCKET = [
    named(HANDSHAKE, heard(status=403), "handshake: sub of the token is no UUID"),
    named(
        "Section 1: with and without a trailing slash both answer directly",
        heard(),
        "handshake: path with trailing slash",
    ),
    wherever(FAULTS, _has_faults, edits(_without_urls)),
    named(
        FAULTS,
        heard(
            fault(
                "json_invalid",
                "Invalid JSON: unexpected character, expected a JSON value",
                "hello {",
                0,
            ),
            echo("valid afterwards"),
        ),
        "first message is not JSON",
    ),
    named(
        FAULTS,
        heard(
            fault(
                "model_attributes_type",
                "Input should be a valid dictionary or object to extract fields from",
                [1],
            )
        ),
        "first message: JSON list",
    ),
    named(
        ONLY_MESSAGE,
        heard(fault("missing", "Field required", {}, "message")),
        "first message: empty object",
    ),
    named(ONLY_MESSAGE, heard(echo("x")), "first message: fields missing"),
    named(
        ONLY_MESSAGE,
        heard(fault("string_type", "Input should be a valid string", None, "message")),
        "first message: nulls",
    ),
    named(
        "Silent: all faults at once, in the order of our fields",
        edits(_in_our_order),
        "first message: wrong types",
    ),
    named(
        "Section 5: binary frames leave an open, dead socket",
        heard(fault("string_type", "Input should be a text frame", None)),
        "first message: binary frame",
    ),
    named(
        FAULTS,
        heard(fault("json_invalid", "Invalid JSON: Input is a zero-length, empty document", "", 0)),
        "first message: empty text",
    ),
    named(FAILS, heard(failed("Provider nope does not exist")), "unknown provider", "both unknown"),
    named(FAILS, heard(failed("Config nope does not exist")), "unknown config"),
    named(FAILS, heard(failed("Config wscfgB does not exist")), "config of another user"),
    named(
        "Section 5: a provider with null metadata leaves an open, dead socket",
        heard(failed("Config wscfg does not exist")),
        "provider whose metadata is null",
    ),
    named(
        "Section 5: a file id that is no UUID leaves an open, dead socket",
        heard(
            fault(
                "uuid_parsing",
                "Input should be a valid UUID, invalid length: expected length 32 for simple "
                "format, found 3",
                "abc",
                "files",
                0,
            )
        ),
        "file id no UUID",
    ),
    named(
        FAILS,
        heard(failed("The master agent is not connected, please try again later")),
        "no master agent connected",
        "... and afterwards",
    ),
    named(FAILS, edits(_left), "master agent dies during a chat"),
    named(
        FAILS, heard(failed("stub master failed on purpose")), "master agent returns/does: raise"
    ),
    named(
        FAILS,
        heard(failed("Object of type object is not JSON serializable")),
        "master agent returns/does: unserialisable",
    ),
    named(
        AS_TEXT,
        edits(_texts),
        "master agent returns/does: string",
        "master agent returns/does: emptydict",
    ),
    named(AS_TEXT, heard(succeeded("[1,2]")), "master agent returns/does: list"),
    named(AS_TEXT, heard(succeeded("42")), "master agent returns/does: number"),
    named(AS_TEXT, heard(succeeded("null")), "master agent returns/does: none"),
    named(
        "Section 3: an unknown config fails: the provider has none of this name",
        heard(failed("Config wscfg does not exist")),
        "provider and config of different providers are not compared",
    ),
    named(
        "Section 1: an unknown or foreign object is named",
        heard(failed(f"File {NOBODY} does not exist", OWN_FILE)),
        "files: own, another user's and unknown id",
    ),
    named(
        "Section 5: a malformed frame after a good one runs the *previous* message again",
        edits(_refused_once),
        "malformed message after a valid one",
    ),
    named(
        "Section 3: another user's session: accepted, then closed with 1008",
        heard(closed=1008),
        "session of another user",
    ),
    named(OWN_ONLY, heard(), "two users connected, A sends: B"),
    named(OWN_ONLY, heard(echo("sleep 2 A")), "two chats at once, A asks first (slow)"),
    named(OWN_ONLY, heard(echo("sleep 0.5 B")), "two chats at once: B's side"),
    named(OWN_ONLY, heard(echo("sleep 1 A-secret")), "two chats at once, A asks first and is"),
    named(OWN_ONLY, heard(echo("sleep 3 B")), "two chats at once: B gets A's answer"),
    named(
        "The scripted master agent runs no agent; those of tests/end_to_end make files",
        each(_without_files),
        "master agent invokes an agent that makes a file",
    ),
    wherever(
        "Section 3: `{is_success, execution_time, …}`",
        holds("type", "agent_response"),
        each(_with_success),
    ),
    wherever(
        "Section 5: `creator_id` of logs is never filled",
        holds("type", "agent_log"),
        each(_with_creator),
    ),
    wherever(
        "Section 5: redact known secrets of the request",
        holds("type", "agent_log"),
        each(_redacted),
    ),
    wherever(
        "Design, section 6: frames that are stored carry `seq` (`?after=<seq>` replays)",
        lambda case: isinstance(case.answer.body, dict) and "frames" in case.answer.body,
        edits(_numbered),
    ),
    named(
        "Section 5: page n of the history is n times too long",
        edits(_first(1)),
        "history: page 2 of 1 per page",
    ),
    wherever(
        "Section 2: `next_page` is a URL; it names no host that only the client has said",
        lambda case: isinstance(case.answer.body, dict) and "next_page" in case.answer.body,
        edits(_without_host),
    ),
    named(
        "Section 5, 500 where it should be 4xx: `per_page=0`",
        too_small("0"),
        "history: per_page=0 with messages",
    ),
    named(OWN_ONLY, edits(_of_b), "... and A's text is stored in B's history"),
    named(OWN_ONLY, edits(_answered), "... A's history has no answer"),
    wherever(SPINNER, lambda case: "frames" in str(case.answer.body), edits(_with_refusals)),
]
