"""How far a client is with a call: the ids of the events that it is told.

They say all that is needed to go on, so that whichever gateway a client comes back to can.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Self
from uuid import UUID

import attrs
from attrs import frozen

from gateway.mcpserver.schemas import RpcId, is_id
from shared.codec.rules import INTEGER_LIMIT
from shared.codec.text import read_json, write_json

PLACE_LIMIT = 8192  # characters; two ids of characters that JSON writes at their longest have less


@frozen
class Place:
    """A call, under the names that its client has given, and what was told of it so far."""

    id: RpcId
    token: RpcId | None
    request_id: UUID
    session_id: UUID
    seq: int
    """What comes after it in the session was not told."""
    progress: int = 0
    """How often progress was told."""

    def __str__(self) -> str:
        """The id of an event."""
        ids = self.request_id.hex, self.session_id.hex
        said = write_json([self.id, self.token, *ids, self.seq, self.progress])
        return urlsafe_b64encode(said).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an event's id says; None: none of ours does."""
        if len(text) > PLACE_LIMIT:
            return None
        try:
            said = read_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls._of(said)
        except ValueError:
            return None

    def later(self, seq: int | None) -> Self:
        """The place after one more is told; with the seq of what it was, if it has one."""
        return attrs.evolve(self, seq=self.seq if seq is None else seq, progress=self.progress + 1)

    @classmethod
    def _of(cls, said: Any) -> Self | None:
        match said:
            case [id_, token, str(request_id), str(session_id), int(seq), int(progress)] if (
                is_id(id_) and (token is None or is_id(token)) and _are_counts(seq, progress)
            ):
                return cls(id_, token, UUID(request_id), UUID(session_id), seq, progress)
        return None


def _are_counts(*numbers: int) -> bool:
    return all(0 <= number < INTEGER_LIMIT for number in numbers)
