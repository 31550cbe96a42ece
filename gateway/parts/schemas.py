"""What administrators are told of the parts of an installation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from shared.telemetry.snapshots import Process


@frozen(slots=False)
class SilentProcess:
    """One that was there in the last minute, and did not answer this time."""

    id: UUID
    service: Annotated[str | None, Meta(description="null: nothing but its heartbeat was heard.")]
    version: str | None
    host: str | None
    address: str | None
    last_heard_at: datetime


@frozen(slots=False)
class Store:
    """PostgreSQL, Redis, the files, or a standby to read from, as this gateway finds it."""

    name: Annotated[str, Meta(description="`postgresql`, `redis`, `files` or `standby`.")]
    is_up: bool
    why: Annotated[str | None, Meta(description="Why it is not, where that is known.")]
    ms: Annotated[float, Meta(description="How long that took to find out.")]
    kind: Annotated[str | None, Meta(description="What it is, in words.")]
    version: str | None


@frozen(slots=False)
class Door:
    """A bridge's door for agents."""

    bridge_id: UUID
    is_open: bool
    alive_until: datetime
    agents: int
    has_master_agent: bool


@frozen(slots=False)
class Leader:
    """Who holds the session at the router, to which agents connect where doors are closed."""

    is_held: bool
    holder: Annotated[UUID, Meta(description="The bridge that is `master_server_be`, or was.")]
    expires_at: datetime


@frozen(slots=False)
class Queue:
    """All open requests; the oldest is of those that wait, in seconds."""

    waiting: int
    running: int
    users_waiting: int
    oldest_seconds: float
    running_at: dict[str, int]
    """By bridge."""


@frozen(slots=False)
class Parts:
    """All parts, as they were at one moment: asked for at most once a second, for all who ask.

    What is null PostgreSQL could not be asked for.
    """

    at: datetime
    gateway_id: Annotated[UUID, Meta(description="Who tells this.")]
    hears_others: Annotated[
        bool,
        Meta(description="Whether Redis is heard: if not, `processes` has only this gateway."),
    ]
    processes: list[Process]
    silent: list[SilentProcess]
    stores: list[Store]
    router_session: Leader | None
    doors: list[Door] | None
    queue: Queue | None
