"""Where notifications are told. What is said there is `formats`."""

from hashlib import blake2b
from uuid import UUID

from shared.settings.common import CommonSettings

WAITING_REQUESTS = "genai:requests:waiting"
"""Tells all bridges that a request waits."""

CANCELLED_REQUESTS = "genai:requests:cancelled"
"""Tells all bridges that a request was ended while one of them ran it."""

REVOKED_TOKENS = "genai:agents:revoked"
"""Tells all bridges that an agent's token has ended: it was deleted, or has a new one."""

REVOKED_CREDENTIALS = "genai:credentials:revoked"
"""Tells all gateways that a sign-in or an API key has ended, or that a user is another one."""

TAKEN_PLACES = "genai:doors:taken"
"""Tells all bridges that somebody has come through another door than before."""

ASKED_PARTS = "genai:parts:asked"
"""Asks all bridges for the text so far of whatever they run in a session."""


def session_channel(session_id: UUID, owner: UUID) -> str:
    """Where the frames of one session are told, to its owner: nobody else listens there.

    Somebody may have opened a socket with this id before its owner began the chat.
    """
    return f"genai:session:{owner}:{session_id}"


def parts_channel(session_id: UUID, owner: UUID) -> str:
    """Where the parts of answers of one session are told, to those only who ask for parts."""
    return f"genai:parts:{owner}:{session_id}"


def heard_channel(bridge_id: UUID) -> str:
    """Where one bridge, and no other, is told the parts that another one has heard."""
    return f"genai:parts:heard:{bridge_id}"


def bridges_channel(settings: CommonSettings) -> str:
    """Where bridges say every second that they take requests, or that they take no more.

    Installations that share a Redis have one each: no gateway may tell a bridge of another one.
    """
    return f"genai:bridges:{_installation(settings, b'bridges')}"


def processes_channel(settings: CommonSettings) -> str:
    """Where a gateway asks all processes of its installation how they are."""
    return f"genai:processes:{_installation(settings, b'processes')}"


def told_channel(gateway_id: UUID) -> str:
    """Where one gateway, and no other, is told how processes are."""
    return f"genai:processes:told:{gateway_id}"


def _installation(settings: CommonSettings, person: bytes) -> str:
    return blake2b(settings.secret_key.encode(), digest_size=16, person=person).hexdigest()


def requests_channel(bridge_id: UUID) -> str:
    """Where one bridge, and no other, is told the ids of requests that wait."""
    return f"{WAITING_REQUESTS}:{bridge_id}"
