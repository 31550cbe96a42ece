"""What is said on each channel, and in which version. How it gets there is `bus`.

The services are upgraded one after the other, so either may hear what it does not know: that is
skipped and counted, and costs no more than a notification that was lost.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

import msgspec
from attrs import field, frozen

from shared.codec.converter import dump
from shared.notifications.bus import Message
from shared.telemetry.metrics import NOTIFICATIONS_SKIPPED
from shared.telemetry.seldom import warn_seldom
from shared.telemetry.snapshots import Process

logger = logging.getLogger(__name__)

FRAME_LIMIT = 256 * 1024  # bytes; more than that goes as its seq only


@frozen
class Heartbeat:
    """A bridge takes requests, or no more of them."""

    bridge_id: UUID
    is_leaving: bool = False


@frozen(slots=False)
class Request:
    """Which one frames are about, and how its sender calls the message."""

    id: UUID
    message_id: UUID | None = None


@frozen
class Frames:
    """Encoded frames of a session, numbered up to `last`; none where they were too large."""

    last: int
    frames: list[str]
    request: Request | None = None
    """That of all of them; None where there are none."""
    is_answered: bool = False
    """Whether the last of them ends the request."""


DELETED = 0
"""The last of no frames: the chat is no more, and the next one of its id begins anew."""


@frozen(slots=False)
class Addition:
    """What somebody's text about a request goes on with."""

    author: UUID | None
    """The agent; None: it is the answer's."""
    offset: int
    """Characters that came before."""
    text: str = field(repr=False)


@frozen(slots=False)
class Additions:
    """What was added to the texts of a request."""

    request: Request
    additions: list[Addition]


@frozen(slots=False)
class HeardPart:
    """What an agent said that the request needs which runs at another bridge."""

    agent_uuid: str
    request_id: str
    text: str = field(repr=False)
    is_verified: bool
    """Whether the agent is known to be who it says."""


@frozen(slots=False)
class AskedParts:
    """Somebody follows a session, and does not know what came before."""

    session_id: UUID
    owner: UUID


@frozen(slots=False)
class Look:
    """A gateway wants to know how all processes are."""

    id: UUID
    gateway_id: UUID


@frozen(slots=False)
class Told:
    """How a process is, for the look that has asked."""

    look_id: UUID
    process: Process


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


def encode_revoked(id_: UUID) -> bytes:
    """What this agent's token, or this sign-in or API key, opened is closed to it.

    Of an agent PostgreSQL tells whether it has another token.
    """
    return _encode("revoked", str(id_).encode())


def decode_revoked(message: Message) -> UUID | None:
    """Whose; None: one may have been missed."""
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


def encode_frames(
    last: int,
    frames: Sequence[bytes],
    request: Request | None = None,
    *,
    is_answered: bool = False,
) -> bytes:
    """Frames of a request on a line each, numbered up to `last`, which may end it.

    Large ones are left for the listener to read from PostgreSQL.
    """
    lines = b"\n".join(frames)
    about = [str(last)]
    if request is not None:
        about += ["ends" if is_answered else "goes-on", str(request.id)]
        about += [str(request.message_id)] if request.message_id else []
    head = " ".join(about).encode()
    return _encode("frames", head + b"\n" + (lines if len(lines) <= FRAME_LIMIT else b""))


def decode_frames(message: Message) -> Frames | None:
    """The frames; None: some may have been missed."""
    return _decode("frames", message, _frames)


def encode_additions(told: Additions) -> bytes:
    """What a request's texts go on with."""
    return _encode("additions", dump(told))


def decode_additions(message: Message) -> Additions | None:
    """What was added; None: something may have been missed."""
    return _decode("additions", message, partial(_typed, _additions))


def is_addition(message: Message) -> bool:
    """Whether it is one, of any version, and no frames, though both are heard together."""
    return message is not None and message.startswith(b"additions/")


def encode_heard(part: HeardPart) -> bytes:
    """A part for the bridge that runs its request."""
    return _encode("heard", dump(part))


def decode_heard(message: Message) -> HeardPart | None:
    """The part; None: one may have been missed."""
    return _decode("heard", message, partial(_typed, _heard))


def encode_asked(asked: AskedParts) -> bytes:
    """Whoever runs something in this session is to say what it has said."""
    return _encode("asked", dump(asked))


def decode_asked(message: Message) -> AskedParts | None:
    """Of which session; None: somebody may have asked."""
    return _decode("asked", message, partial(_typed, _asked))


def is_asked(message: Message) -> bool:
    """Whether it asks, and is no part, though both are heard together."""
    return message is not None and message.startswith(b"asked/")


def encode_look(look: Look) -> bytes:
    """Everybody is to say how he is."""
    return _encode("look", dump(look))


def decode_look(message: Message) -> Look | None:
    """Who wants to know; None: somebody may have asked."""
    return _decode("look", message, partial(_typed, _look))


def encode_told(told: Told) -> bytes:
    """How this process is."""
    return _encode("told", dump(told))


def decode_told(message: Message) -> Told | None:
    """How a process is; None: one may have been missed."""
    return _decode("told", message, partial(_typed, _told))


_additions = msgspec.json.Decoder(Additions)
_heard = msgspec.json.Decoder(HeardPart)
_asked = msgspec.json.Decoder(AskedParts)
_look = msgspec.json.Decoder(Look)
_told = msgspec.json.Decoder(Told)
_VERSIONS = {
    "waiting": 1,
    "cancelled": 1,
    "revoked": 1,
    "taken": 1,
    "heartbeat": 1,
    "frames": 3,
    "additions": 1,
    "heard": 1,
    "asked": 1,
    "look": 1,
    "told": 1,
}
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
    head, _, lines = body.partition(b"\n")
    last, *about = head.decode("ascii").split(" ")
    if not last.isdigit():
        raise ValueError("the last has no number")
    frames = lines.decode().split("\n") if lines else []
    if not about:
        return Frames(int(last), frames)
    how, *ids = about
    if how not in {"ends", "goes-on"} or len(ids) not in {1, 2}:
        raise ValueError("it is not said of which request")
    return Frames(int(last), frames, Request(*map(UUID, ids)), is_answered=how == "ends")


def _typed[T](decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
