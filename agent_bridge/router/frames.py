"""The router's frames, both ways; no socket is touched here.

Source of every form: the contract's section on the router. Unknown keys are ignored, and a frame
of no known form is None: anyone can cause one, so it must never end anything.
"""

import json
from math import isfinite
from sys import float_info
from typing import Any
from uuid import UUID

from attrs import field, frozen

from shared.codec.depth import is_too_deep
from shared.codec.text import DIGITS_LIMIT, read_json, write_json

MASTER_SERVER_BE = "master_server_be"
MASTER_SERVER_ML = "master_server_ml"

LOGGED_LIMIT = 80 * 1024  # characters: what is stored of a message, and the secret it may be cut at

NOT_ACTIVE = "Agent is NOT active"
UNREGISTERED = "Agent has been unregistered"


@frozen
class AgentRegistered:
    """An agent connected. `agent_uuid` is a claim until its token has been verified."""

    agent_uuid: str
    agent_jwt: str = field(repr=False)
    name: str
    description: str
    input_schema: dict[str, Any]


@frozen
class AgentUnregistered:
    """An agent, or anything else that had a connection, is gone."""

    agent_uuid: str = field(repr=False)  # of a lane it is the key that it was invoked with


@frozen
class AgentLogged:
    """An agent logged something about a request."""

    agent_uuid: str
    session_id: str
    request_id: str
    log_level: str
    message: str = field(repr=False)
    is_verified: bool = False
    """Whether `agent_uuid` is known to be who he says; else that is for PostgreSQL to say."""


@frozen
class ProbeArrived:
    """A bridge asks whether the session hears what the router is told; it waits for the echo."""

    probe: str
    invoked_by: str = field(repr=False)


@frozen
class FlushMarkerArrived:
    """A bridge wants an echo once the log entries that came before this have been handled."""

    marker: str
    invoked_by: str = field(repr=False)
    request_ids: tuple[str, ...] | None = None
    """Of which requests; None: of all."""


@frozen
class Reply:
    """What an invoked agent answered."""

    response: Any
    execution_time: float


@frozen
class Rejection:
    """An error in place of an answer, from the agent or from the router."""

    message: str
    execution_time: float


@frozen
class Departure:
    """Somebody whose identity is part of this connection's key has disconnected."""

    agent_uuid: str


type SessionFrame = (
    AgentRegistered | AgentUnregistered | AgentLogged | ProbeArrived | FlushMarkerArrived
)
type LaneFrame = Reply | Rejection | Departure


def parse_session_frame(text: str | bytes) -> SessionFrame | None:
    """What came on the session's connection.

    Events of the router have no `invoked_by`; with it, somebody has invoked us and may have
    dressed it as an event.
    """
    match _parse(text):
        case {"request_payload": {"probe": str(probe)}, "invoked_by": str(invoked_by)}:
            return ProbeArrived(probe, invoked_by)
        case {"request_payload": {"fence": str(marker), **rest}, "invoked_by": str(invoked_by)}:
            return FlushMarkerArrived(marker, invoked_by, _ids(rest.get("requests")))
        case {"invoked_by": _}:
            return None
        case {"request_payload": {"message_type": str(kind), "agent_uuid": str(uuid), **rest}}:
            return _parse_event(kind, uuid, rest)
    return None


def _parse_event(kind: str, uuid: str, rest: dict[Any, Any]) -> SessionFrame | None:
    match kind, rest:
        case "agent_register", {"agent_jwt": str(jwt)}:
            return AgentRegistered(
                agent_uuid=uuid,
                agent_jwt=jwt,
                name=_text(rest.get("agent_name")),
                description=_text(rest.get("agent_description")),
                input_schema=_object(rest.get("agent_input_schema")),
            )
        case "agent_unregister", _:
            return AgentUnregistered(uuid)
        case "agent_log", {"session_id": str(session), "request_id": str(request)} if (
            session and request and rest.get("log_level")
        ):
            level = _text(rest["log_level"])
            message = _text(rest.get("log_message"))[:LOGGED_LIMIT]
            return AgentLogged(uuid, session, request, level, message)
    return None


def parse_lane_frame(text: str | bytes) -> LaneFrame | None:
    """What came on a lane's connection."""
    match _parse(text):
        case {"error": {"error_message": str(message), "agent_uuid": str(uuid)}} if (
            message == UNREGISTERED
        ):
            return Departure(uuid)
        case {"message_type": "agent_response", "response": response, **rest}:
            return Reply(response, _seconds(rest.get("execution_time")))
        case {"error": error, **rest}:
            reason = error.get("error_message") if isinstance(error, dict) else error
            return Rejection(_text(reason), _seconds(rest.get("execution_time")))
    return None


def parse_error(text: str | bytes) -> str:
    """The message of an error, or nothing."""
    match _parse(text):
        case {"error": {"error_message": str(message)}}:
            return message
    return ""


def read_identity(agent_uuid: str) -> UUID | None:
    """The agent that an identity belongs to.

    Only the form that its token has: the router takes any other spelling for somebody else.
    """
    try:
        agent_id = UUID(agent_uuid)
    except ValueError:
        return None
    return agent_id if str(agent_id) == agent_uuid else None


def register_frame() -> bytes:
    """What every agent says first; the router ignores it from us."""
    schema = {"type": "function", "function": {"name": None, "description": "", "parameters": {}}}
    payload = {"agent_name": "", "agent_description": "", "agent_input_schema": schema}
    return write_json({"message_type": "agent_register", "request_payload": payload})


def invoke_frame(
    agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
) -> bytes:
    """Have an agent called, in the name of a request."""
    frame = {
        "message_type": "agent_invoke",
        "agent_uuid": agent_uuid,
        "request_payload": payload,
        "request_metadata": {"request_id": request_id, "session_id": session_id},
    }
    return write_json(frame)


def presence_frames(agent_uuid: str, mark: str) -> tuple[str, str]:
    """Ask whether an agent is connected; then have the router send the mark back.

    What reaches the agent does nothing there. Its library, of either generation, fails on metadata
    that are no object before it calls the agent, in a task of its own: it prints that and answers
    nothing. The second frame is of a kind that the router does not know and quotes.
    """
    question = {
        "message_type": "agent_invoke",
        "agent_uuid": agent_uuid,
        "request_payload": {},
        "request_metadata": "presence",
    }
    marked = {"message_type": "presence_mark", "mark": mark}
    return write_json(question).decode(), write_json(marked).decode()


def _ids(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(each for each in value if isinstance(each, str))


def echo_frame(arrived: ProbeArrived | FlushMarkerArrived) -> str:
    """Answer a probe or a flush marker."""
    frame = {
        "message_type": "agent_response",
        "response": arrived.probe if isinstance(arrived, ProbeArrived) else arrived.marker,
        "execution_time": 0,
        "invoked_by": arrived.invoked_by,
    }
    return write_json(frame).decode()


def _parse(text: str | bytes) -> object:
    try:
        return read_json(text)
    except json.JSONDecodeError:
        return _parse_leniently(text)


def _parse_leniently(text: str | bytes) -> object:
    """What Python's own json writes and JSON does not know: NaN, infinities, half surrogates.

    A number that is too large to be read stays a text: whoever waits for the rest must have it.
    """
    try:
        value = json.loads(
            text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_float
        )
        return read_json(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS_LIMIT else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if isfinite(number) else digits


def _text(value: object) -> str:
    """A text that PostgreSQL can store."""
    text = value if isinstance(value, str) else "" if value is None else _dump(value)
    return str(_without_nul(text))


def _object(value: object) -> dict[str, Any]:
    """A JSON object without NUL characters, from an object or its text."""
    parsed = _parse(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict) or is_too_deep(parsed):
        return {}
    return dict(_without_nul(parsed)) if b"\\u0000" in write_json(parsed) else parsed


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        case dict():
            return {_without_nul(name): _without_nul(part) for name, part in value.items()}
        case list():
            return [_without_nul(part) for part in value]
    return value


def _dump(value: object) -> str:
    return "nested too deeply" if is_too_deep(value) else write_json(value).decode()


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and abs(value) <= float_info.max:
        return float(value)
    return 0.0
