"""The router's frames, both ways; no socket is touched here.

Source of every form: the contract's section on the router. Unknown keys are ignored, and a frame
of no known form is None: anyone can cause one, so it must never end anything.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from attrs import field, frozen

from agent_bridge.router.reading import as_object, as_seconds, as_text, parse_frame
from shared.codec.text import write_json

MASTER_SERVER_BE = "master_server_be"
MASTER_SERVER_ML = "master_server_ml"

KNOWN_IDS = 4096  # that are remembered: who logs does so more than once about a request
UUID_CHARACTERS = 36
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
    # Log entries come by the thousand: for them no patterns, which take longer than all the rest.
    frame = parse_frame(text)
    if not isinstance(frame, dict):
        return None
    payload = frame.get("request_payload")
    if not isinstance(payload, dict):
        return None
    if "invoked_by" in frame:
        return _parse_invocation(payload, frame["invoked_by"])
    kind, uuid = payload.get("message_type"), payload.get("agent_uuid")
    if not isinstance(kind, str) or not isinstance(uuid, str):
        return None
    return read_log(uuid, payload) if kind == "agent_log" else _parse_event(kind, uuid, payload)


def _parse_invocation(payload: dict[str, Any], invoked_by: object) -> SessionFrame | None:
    match payload, invoked_by:
        case {"probe": str(probe)}, str():
            return ProbeArrived(probe, invoked_by)
        case {"fence": str(marker), **rest}, str():
            return FlushMarkerArrived(marker, invoked_by, _ids(rest.get("requests")))
    return None


def _parse_event(kind: str, uuid: str, payload: dict[str, Any]) -> SessionFrame | None:
    match kind, payload:
        case "agent_register", {"agent_jwt": str(jwt), **rest}:
            return AgentRegistered(
                agent_uuid=uuid,
                agent_jwt=jwt,
                name=as_text(rest.get("agent_name")),
                description=as_text(rest.get("agent_description")),
                input_schema=as_object(rest.get("agent_input_schema")),
            )
        case "agent_unregister", _:
            return AgentUnregistered(uuid)
    return None


def read_log(
    agent_uuid: str, frame: dict[Any, Any], *, is_verified: bool = False
) -> AgentLogged | None:
    """What an agent logged; None where it does not say about what."""
    session, request = frame.get("session_id"), frame.get("request_id")
    level = frame.get("log_level")
    if not (isinstance(session, str) and isinstance(request, str) and session and request):
        return None
    if not level:
        return None
    message = as_text(frame.get("log_message"))[:LOGGED_LIMIT]
    return AgentLogged(agent_uuid, session, request, as_text(level), message, is_verified)


def parse_lane_frame(text: str | bytes) -> LaneFrame | None:
    """What came on a lane's connection."""
    return read_lane_frame(parse_frame(text))


def read_lane_frame(frame: object) -> LaneFrame | None:
    """What an answer says."""
    match frame:
        case {"error": {"error_message": str(message), "agent_uuid": str(uuid)}} if (
            message == UNREGISTERED
        ):
            return Departure(uuid)
        case {"message_type": "agent_response", "response": response, **rest}:
            return Reply(response, as_seconds(rest.get("execution_time")))
        case {"error": error, **rest}:
            reason = error.get("error_message") if isinstance(error, dict) else error
            return Rejection(as_text(reason), as_seconds(rest.get("execution_time")))
    return None


def parse_error(text: str | bytes) -> str:
    """The message of an error, or nothing."""
    match parse_frame(text):
        case {"error": {"error_message": str(message)}}:
            return message
    return ""


def read_identity(agent_uuid: str) -> UUID | None:
    """The agent that an identity belongs to.

    Only the form that its token has: the router takes any other spelling for somebody else.
    """
    try:
        agent_id = read_uuid(agent_uuid)
    except ValueError:
        return None
    return agent_id if str(agent_id) == agent_uuid else None


def read_uuid(text: str) -> UUID:
    """An id in any spelling. Raises ValueError."""
    return _read_known(text) if len(text) <= UUID_CHARACTERS else UUID(text)


_read_known = lru_cache(maxsize=KNOWN_IDS)(UUID)


def register_frame() -> bytes:
    """What every agent says first; the router ignores it from us."""
    schema = {"type": "function", "function": {"name": None, "description": "", "parameters": {}}}
    payload = {"agent_name": "", "agent_description": "", "agent_input_schema": schema}
    return write_json({"message_type": "agent_register", "request_payload": payload})


def invoke_frame(
    agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
) -> bytes:
    """Have an agent called, in the name of a request."""
    return call_frame(agent_uuid, payload, {"request_id": request_id, "session_id": session_id})


def call_frame(agent_uuid: str, payload: object, metadata: dict[str, Any]) -> bytes:
    """Have an agent called."""
    frame = {
        "message_type": "agent_invoke",
        "agent_uuid": agent_uuid,
        "request_payload": payload,
        "request_metadata": metadata,
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
