"""What bridges say to each other through the router, so that nobody else there can read or say it.

The router gives a place to whoever claims it. So what is meant for the master agent goes sealed to
the bridge at whose door it is, and who holds a place has to prove that it is a bridge.
"""

import hmac
from hashlib import sha256
from typing import Any
from uuid import UUID

from attrs import field, frozen

from agent_bridge.doors.frames import Invocation
from agent_bridge.router.frames import LaneFrame, read_lane_frame
from shared.codec.text import read_json, write_json
from shared.secrets import UndecryptableError, Vault
from shared.settings.bridge import BridgeSettings

SEALED = "sealed"
CALLS = "invocations"  # the table, as it were, to which a seal is bound


@frozen
class Opened:
    """A call as it is to be made."""

    payload: object = field(repr=False)
    was_sealed: bool


class Seals:
    """Seals with the keys that all bridges have, each to one request."""

    def __init__(self, settings: BridgeSettings, vault: Vault) -> None:
        self._vault = vault
        self._key = settings.secret_key.encode()

    def ask(self, identity: str, nonce: str) -> str:
        """What only a bridge can show when it knocks."""
        return self._prove("ask", identity, nonce)

    def is_asked(self, identity: str, nonce: str, asked: str) -> bool:
        """Whether it was one that knocked."""
        return hmac.compare_digest(self.ask(identity, nonce).encode(), asked.encode())

    def prove(self, identity: str, nonce: str) -> str:
        """What only a bridge can answer to a knock."""
        return self._prove("knock", identity, nonce)

    def is_proof(self, identity: str, nonce: str, answer: object) -> bool:
        """Whether it was one that answered so."""
        proof = self.prove(identity, nonce)
        return isinstance(answer, str) and hmac.compare_digest(proof.encode(), answer.encode())

    def seal(self, payload: dict[str, Any], request_id: str) -> dict[str, Any]:
        """A call that only a bridge can read."""
        return {SEALED: self._seal(payload, request_id, "payload")}

    def open(self, call: Invocation, *, by_bridge: bool) -> Opened:
        """A call that a bridge has sealed, or one as it is. Raises UndecryptableError."""
        match call.payload:
            case {"sealed": str(text)} if by_bridge:
                return Opened(self._open(text, call.request_id, "payload"), was_sealed=True)
        return Opened(call.payload, was_sealed=False)

    def close(self, answer: dict[str, Any], request_id: str) -> dict[str, Any]:
        """The answer to a sealed call, sealed as well."""
        sealed = self._seal(answer, request_id, "answer")
        return {"message_type": "agent_response", "response": {SEALED: sealed}}

    def read_answer(self, response: object, request_id: str) -> LaneFrame | None:
        """What was answered to a sealed call; None: it was no bridge that answered."""
        match response:
            case {"sealed": str(text)}:
                try:
                    return read_lane_frame(self._open(text, request_id, "answer"))
                except UndecryptableError:
                    return None
        return None

    def _prove(self, what: str, identity: str, nonce: str) -> str:
        text = f"{what}\n{identity}\n{nonce}"
        return hmac.new(self._key, text.encode(), sha256).hexdigest()

    def _seal(self, content: dict[str, Any], request_id: str, part: str) -> str:
        text = write_json(content).decode()
        return self._vault.encrypt(text, CALLS, UUID(request_id), part)

    def _open(self, text: str, request_id: str, part: str) -> object:
        try:
            row = UUID(request_id)
        except ValueError:
            raise UndecryptableError("a sealed call names no request") from None
        return read_json(self._vault.decrypt(text, CALLS, row, part))
