"""What the router does with a frame, without sockets: who holds which key, and who is told what.

It copies the real router as recorded, faults included, since those are what its clients meet.
"""

import json
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

BACK_END = "master_server_be"
MASTER_AGENT = "master_server_ml"

type Frame = dict[str, Any]

INVOKED = ("request_payload", "request_metadata")  # what the invoked gets of an invocation
NOT_ACTIVE: Frame = {"error_message": "Agent is NOT active", "error_type": "AgentNotActive"}
INVALID_JSON: Frame = {
    "error_message": "Invalid JSON format",
    "error_type": "InvalidJSONRequestFormat",
}
NO_PAYLOAD: Frame = {
    "error_message": "Missing request payload or agent UUID",
    "error_type": "NoRequestPayload",
}


class HandlerDiedError(Exception):
    """The real router's handler fails on this: the connection is cut without a close frame."""


@frozen
class Keys:
    """The two keys that make a connection one of the masters."""

    back_end: str = field(repr=False)
    master_agent: str = field(repr=False)


@frozen(eq=False)
class Peer:
    """One connection: the key under which frames reach it, and the token that it came with."""

    key: str
    token: str | None = None


@frozen
class Delivery:
    """A frame that a connection is to get."""

    to: Peer
    frame: Frame


def identify(headers: Mapping[str, str], keys: Keys) -> Peer | None:
    """Who connects with these headers; None is to be sent away with close code 4000."""
    if api_key := headers.get("API-KEY"):
        masters = {keys.back_end: BACK_END, keys.master_agent: MASTER_AGENT}
        return Peer(masters[api_key]) if api_key in masters else None
    if token := headers.get("X-Custom-Authorization"):
        agent = _subject(token)
        return Peer(agent, token) if agent else None
    if invoke_key := headers.get("x-custom-invoke-key"):
        return Peer(invoke_key)
    return None


def _subject(token: str) -> str | None:
    """The `sub` of a JWT, its signature unseen; a text that is no JWT stands for itself."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, Base64Error):
        return token
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else None


@define
class Router:
    """The connections by key. Every method returns what is to be sent, in order."""

    keys: Keys
    holders: dict[str, Peer] = field(factory=dict, init=False)

    def connect(self, peer: Peer) -> None:
        """Take a connection in; an older one with the same key is forgotten in silence."""
        self.holders[peer.key] = peer

    def disconnect(self, peer: Peer) -> list[Delivery]:
        """Drop the key, even from a newer connection that holds it by now."""
        self.holders.pop(peer.key, None)
        deliveries: list[Delivery] = []
        if not self._is_back_end(peer):
            deliveries += self._to_back_end(
                {"agent_uuid": peer.key, "message_type": "agent_unregister"}
            )
        error = {"error_message": "Agent has been unregistered", "agent_uuid": peer.key}
        notice = {"message_type": "agent_error", "error": error}
        concerned = [holder for key, holder in self.holders.items() if peer.key in key]
        return deliveries + [Delivery(holder, notice) for holder in concerned]

    def receive(self, sender: Peer, text: str) -> list[Delivery]:
        """What a text frame leads to. Raises HandlerDiedError."""
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return [Delivery(sender, {"error": INVALID_JSON})]
        if not isinstance(frame, dict):
            raise HandlerDiedError("JSON that is no object")
        match frame.get("message_type"):
            case "agent_register":
                return self._register(sender, frame)
            case "agent_invoke":
                return self._invoke(sender, frame)
            case "agent_response" | "agent_error":
                return self._answer(frame)
            case "agent_log":
                return self._log(sender, frame)
        error = {
            "error_message": f"Unexpected exception: {json.dumps(frame)}",
            "error_type": "AgentGeneralError",
        }
        return [Delivery(sender, {"error": error})]

    def _is_back_end(self, peer: Peer) -> bool:
        return peer.key.startswith(self.keys.back_end)

    def _to_back_end(self, payload: Frame) -> list[Delivery]:
        back_end = self.holders.get(BACK_END)
        return [Delivery(back_end, {"request_payload": payload})] if back_end else []

    def _register(self, sender: Peer, frame: Frame) -> list[Delivery]:
        if sender.token is None:  # the masters need no registration
            return []
        payload = frame.get("request_payload")
        if not isinstance(payload, dict):
            raise HandlerDiedError("a registration without payload")
        added = {"agent_uuid": sender.key, "agent_jwt": sender.token}
        return self._to_back_end({**payload, **added, "message_type": "agent_register"})

    def _log(self, sender: Peer, frame: Frame) -> list[Delivery]:
        claimed = {"message_type": "agent_log", "agent_uuid": sender.key}
        return self._to_back_end({**claimed, **frame, **claimed})

    def _invoke(self, sender: Peer, frame: Frame) -> list[Delivery]:
        target = frame.get("agent_uuid")
        if not isinstance(target, str):
            refusals = ({"error": NO_PAYLOAD}, {"message_type": "agent_error", "error": NOT_ACTIVE})
            return [Delivery(sender, refusal) for refusal in refusals]
        if target == MASTER_AGENT and not self._is_back_end(sender):
            return [Delivery(sender, {"error": NOT_ACTIVE})]
        holder = self.holders.get(target)
        if holder is None:
            return [Delivery(sender, {"message_type": "agent_error", "error": NOT_ACTIVE})]
        if self._is_back_end(sender) and _is_error(frame.get("request_payload")):
            error = {**frame["request_payload"], "message_type": "agent_error"}
            return [Delivery(holder, {"error": error})]
        return [Delivery(holder, {**_pick(frame, *INVOKED), "invoked_by": sender.key})]

    def _answer(self, frame: Frame) -> list[Delivery]:
        invoked_by = frame.pop("invoked_by", None)
        invoker = self.holders.get(invoked_by) if isinstance(invoked_by, str) else None
        if invoker is None:
            return []
        message_type = frame.pop("message_type")
        return [Delivery(invoker, {**frame, "message_type": message_type})]


def _pick(frame: Frame, *names: str) -> Frame:
    return {name: frame[name] for name in names if name in frame}


def _is_error(payload: Any) -> bool:
    return isinstance(payload, dict) and {"error_message", "error_type"} <= payload.keys()
