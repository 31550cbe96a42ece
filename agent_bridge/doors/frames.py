"""What passes a door, both ways; no socket is touched here.

To agents, the master agent and callers the door is the router: the same frames, in the same form.
"""

from math import ceil
from typing import Any

from attrs import field, frozen

from agent_bridge.router.frames import (
    NOT_ACTIVE,
    UNREGISTERED,
    AgentLogged,
    read_log,
)
from agent_bridge.router.reading import as_object, as_text, parse_frame
from shared.codec.text import write_json

INVALID_JSON = {
    "error_message": "Invalid JSON format",
    "error_type": "InvalidJSONRequestFormat",
}
UNEXPECTED = {
    "error_message": "Unexpected exception: a frame of no known kind",
    "error_type": "AgentGeneralError",
}


@frozen
class Described:
    """What an agent says of itself, first of all."""

    name: str
    description: str
    input_schema: dict[str, Any] = field(repr=False)


@frozen
class Answered:
    """An answer to the call that was shown under this key."""

    shown: str
    frame: dict[str, Any] = field(repr=False)


@frozen
class Call:
    """What is called, and in whose name."""

    payload: object = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)

    @property
    def request_id(self) -> str:
        """The request in whose name it is; a text of any kind."""
        return as_text(self.metadata.get("request_id"))


@frozen
class Called(Call):
    """Somebody has an agent called."""

    callee: str


@frozen
class Invocation(Call):
    """The router hands on a call."""

    by: str = field(repr=False)


@frozen
class Knock:
    """A bridge asks who holds an identity at the router."""

    nonce: str
    asked: str
    """What proves that it is one."""
    by: str = field(repr=False)


@frozen
class Misunderstood:
    """Nothing that an agent could say; and what the router answers to it."""

    answer: dict[str, Any] = field(repr=False)


type AgentFrame = Described | AgentLogged | Answered | Misunderstood
type RouterFrame = Knock | Invocation


def parse_agent_frame(text: str | bytes, identity: str) -> AgentFrame | None:
    """What an agent or the master agent sends, whose proven identity this is.

    Whatever it says of its identity itself is nothing. None where it says too little to be of use:
    an error in answer to that would end it.
    """
    frame: Any = parse_frame(text)
    match frame:
        case {"message_type": "agent_register", "request_payload": dict(payload)}:
            return Described(
                as_text(payload.get("agent_name")),
                as_text(payload.get("agent_description")),
                as_object(payload.get("agent_input_schema")),
            )
        case {"message_type": "agent_log"}:
            return read_log(identity, frame, is_verified=True)
        case {"message_type": "agent_response" | "agent_error", "invoked_by": str(shown)}:
            return Answered(shown, {name: frame[name] for name in frame if name != "invoked_by"})
        case {"message_type": "agent_register" | "agent_response" | "agent_error"}:
            return None
        case None:
            return Misunderstood({"error": INVALID_JSON})
    return Misunderstood({"error": UNEXPECTED})


def parse_call(text: str | bytes) -> Called | Misunderstood:
    """What a caller sends."""
    match parse_frame(text):
        case {"message_type": "agent_invoke", "agent_uuid": str(callee), **rest}:
            return Called(rest.get("request_payload"), _metadata(rest), callee)
        case None:
            return Misunderstood({"error": INVALID_JSON})
    return Misunderstood({"error": UNEXPECTED})


def parse_router_frame(text: str | bytes) -> RouterFrame | None:
    """What the router sends to whom it takes for an agent or the master agent.

    None for errors too, which would make an agent stop: who is to stop is for the door to say, and
    whoever reaches the router can have it send some. And for a call whose metadata are no object:
    no library runs its agent for one, and with it a leader asks who is there (`presence_frames`).
    """
    frame: Any = parse_frame(text)
    match frame:
        case {"request_payload": {"knock": str(nonce), "asked": str(asked)}, "invoked_by": str(by)}:
            return Knock(nonce, asked, by)
        case {"request_payload": payload, "invoked_by": str(by), **rest}:
            if isinstance(rest.get("request_metadata", {}), dict):
                return Invocation(payload, _metadata(rest), by)
    return None


def _metadata(frame: dict[Any, Any]) -> dict[str, Any]:
    metadata = frame.get("request_metadata")
    return metadata if isinstance(metadata, dict) else {}


def invocation_frame(shown: str, payload: object, metadata: dict[str, Any]) -> bytes:
    """Call an agent."""
    frame = {"request_payload": payload, "request_metadata": metadata, "invoked_by": shown}
    return write_json(frame)


def answer_frame(by: str, answer: dict[str, Any]) -> bytes:
    """An answer for whoever holds this key at the router."""
    return write_json({**answer, "invoked_by": by})


def reply(response: object) -> dict[str, Any]:
    """An answer of the door itself."""
    return {"message_type": "agent_response", "response": response, "execution_time": 0}


def too_large(what: str, size: int, most: int) -> dict[str, Any]:
    """In place of a call or an answer that would end the connection of whoever gets it."""
    message = f"The {what} has {ceil(size / 1024):,} KB: libraries take {most // 1024:,} KB at most"
    return _refusal(message)


def not_active() -> dict[str, Any]:
    """What the router says of a callee who is not there, or whom the caller may not call."""
    return _refusal(NOT_ACTIVE, "AgentNotActive")


def unanswered(most: int) -> dict[str, Any]:
    """For the oldest of more calls than are remembered."""
    return _refusal(f"The agent has left more than {most:,} calls unanswered")


def _refusal(message: str, kind: str = "AgentGeneralError") -> dict[str, Any]:
    error = {"error_message": message, "error_type": kind}
    return {"message_type": "agent_error", "error": error}


def unregistered(identity: str) -> dict[str, Any]:
    """What the router says to those who wait for somebody who is gone."""
    error = {"error_message": UNREGISTERED, "agent_uuid": identity}
    return {"message_type": "agent_error", "error": error}


def dismissal(message: str) -> dict[str, Any]:
    """What makes an agent of either generation stop."""
    error = {"error_message": message, "error_type": "AgentGeneralError"}
    return {"error": {**error, "message_type": "agent_error"}}


def show(by: str, keys: dict[str, str], number: int) -> str:
    """Under which key an agent sees a call: its caller and its callee, and names for keys."""
    for key, name in keys.items():
        by = by.replace(key, name)
    return f"{by}:{number}"
