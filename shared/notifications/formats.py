"""What is said on each channel, and in which version. How it gets there is `bus`.

The services are upgraded one after the other, so either may hear what it does not know: that is
skipped and counted, and costs no more than a notification that was lost.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from uuid import UUID

from attrs import frozen

from shared.notifications.bus import Message
from shared.settings.common import CommonSettings
from shared.telemetry.metrics import NOTIFICATIONS_SKIPPED
from shared.telemetry.seldom import warn_seldom

logger = logging.getLogger(__name__)

WAITING_REQUESTS = "genai:requests:waiting"
"""Tells all bridges that a request waits."""

CANCELLED_REQUESTS = "genai:requests:cancelled"
"""Tells all bridges that a request was ended while one of them ran it."""

REVOKED_TOKENS = "genai:agents:revoked"
"""Tells all bridges that an agent's token has ended: it was deleted, or has a new one."""

TAKEN_PLACES = "genai:doors:taken"
"""Tells all bridges that somebody has come through another door than before."""

FRAME_LIMIT = 256 * 1024  # bytes; more than that goes as its seq only


def session_channel(session_id: UUID, owner: UUID) -> str:
    """Where the frames of one session are told, to its owner: nobody else listens there.

    Somebody may have opened a socket with this id before its owner began the chat.
    """
    return f"genai:session:{owner}:{session_id}"


def bridges_channel(settings: CommonSettings) -> str:
    """Where bridges say every second that they take requests, or that they take no more.

    Installations that share a Redis have one each: no gateway may tell a bridge of another one.
    """
    secret = settings.secret_key.encode()
    return f"genai:bridges:{blake2b(secret, digest_size=16, person=b'bridges').hexdigest()}"


def requests_channel(bridge_id: UUID) -> str:
    """Where one bridge, and no other, is told the ids of requests that wait."""
    return f"{WAITING_REQUESTS}:{bridge_id}"


@frozen
class Heartbeat:
    """A bridge takes requests, or no more of them."""

    bridge_id: UUID
    is_leaving: bool = False


@frozen
class Frames:
    """Encoded frames of a session, numbered up to `last`; none where they were too large."""

    last: int
    frames: list[str]
    answered: UUID | None = None
    """The request that the last of them answers."""


def encode_waiting(request_id: UUID | None) -> bytes:
    """A request waits: this one, or None where somebody else was told of it before."""
    return _encode("waiting", b"" if request_id is None else str(request_id).encode())


def decode_waiting(message: Message) -> UUID | None:
    """Which one waits, if one was named. Whatever came: it is worth a look."""
    return _decode("waiting", message, lambda body: _uuid(body) if body else None)


def encode_cancelled(claim_id: UUID) -> bytes:
    """The request that was claimed so was ended."""
    return _encode("cancelled", str(claim_id).encode())


def decode_cancelled(message: Message) -> UUID | None:
    """Which claim; None: one may have been missed."""
    return _decode("cancelled", message, _uuid)


def encode_revoked(agent_id: UUID) -> bytes:
    """The token that this agent had has ended; PostgreSQL tells whether it has another."""
    return _encode("revoked", str(agent_id).encode())


def decode_revoked(message: Message) -> UUID | None:
    """Whose token; None: one may have been missed."""
    return _decode("revoked", message, _uuid)


def encode_taken(identity: str) -> bytes:
    """This agent, or the master agent, has come through another door than before."""
    return _encode("taken", identity.encode())


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """A bridge is there, or leaves."""
    says = b"leaves" if heartbeat.is_leaving else b"stays"
    return _encode("heartbeat", b"%b %b" % (str(heartbeat.bridge_id).encode(), says))


def decode_heartbeat(message: Message) -> Heartbeat | None:
    """What a bridge said; None: one may have been missed."""
    return _decode("heartbeat", message, _heartbeat)


def encode_frames(last: int, frames: Sequence[bytes], answered: UUID | None = None) -> bytes:
    """Frames on a line each, numbered up to `last`, which may answer a request.

    Large ones are left for the listener to read from PostgreSQL.
    """
    lines = b"\n".join(frames)
    about = b"%d %b" % (last, str(answered).encode()) if answered else b"%d" % last
    return _encode("frames", about + b"\n" + (lines if len(lines) <= FRAME_LIMIT else b""))


def decode_frames(message: Message) -> Frames | None:
    """The frames; None: some may have been missed."""
    return _decode("frames", message, _frames)


_VERSIONS = {"waiting": 1, "cancelled": 1, "revoked": 1, "taken": 1, "heartbeat": 1, "frames": 2}
_HEADERS = {name: f"{name}/{version} ".encode() for name, version in _VERSIONS.items()}


def _encode(name: str, body: bytes) -> bytes:
    return _HEADERS[name] + body


def _decode[T](name: str, message: Message, parse: Callable[[bytes], T]) -> T | None:
    """What a message means; None for a gap, and for what is not known here, which is counted."""
    if message is None:
        return None
    header = _HEADERS[name]
    if message.startswith(header):
        with suppress(ValueError):
            return parse(message[len(header) :])
    NOTIFICATIONS_SKIPPED.labels(name).inc()
    warn_seldom(logger, f"a notification was skipped: no {name} that is known here")
    return None


def _uuid(body: bytes) -> UUID:
    return UUID(body.decode("ascii"))  # UnicodeDecodeError is a ValueError


def _heartbeat(body: bytes) -> Heartbeat:
    bridge_id, _, says = body.partition(b" ")
    if says not in {b"leaves", b"stays"}:
        raise ValueError("it neither leaves nor stays")
    return Heartbeat(_uuid(bridge_id), is_leaving=says == b"leaves")


def _frames(body: bytes) -> Frames:
    about, _, lines = body.partition(b"\n")
    last, _, answered = about.partition(b" ")
    if not last.isdigit():
        raise ValueError("the last has no number")
    frames = lines.decode().split("\n") if lines else []
    return Frames(int(last), frames, _uuid(answered) if answered else None)
