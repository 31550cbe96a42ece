"""Why a request is waiting: what is seen of it and around it, and what that means."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from attrs import frozen

from gateway.admin.faults import NotFoundError
from gateway.admin.options import MOST
from gateway.admin.work.bridges import hear_bridges, select_doors
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Part
from gateway.parts.queries import select_leader
from gateway.parts.schemas import Leader
from gateway.requests.facts import Facts, select_facts

JUST_NOW_SECONDS = 2.0


@frozen(slots=False)
class Explanation:
    """A request, and why it is not answered yet."""

    request_id: UUID
    username: str
    session_id: UUID
    status: str
    created_at: datetime
    sent_at: datetime | None
    deadline: datetime
    bridge_id: UUID | None
    because: list[str]


@frozen
class Around:
    """What is seen of the bridges, and of who is connected."""

    bridges: set[UUID] | None
    """Those that say that they take requests; None: Redis can't be listened to."""
    has_doors: bool
    has_master_agent: bool
    leader: Leader | None


async def explain(on: Installation, request_id: UUID) -> Explanation:
    """Look, and conclude. Raises NotFoundError."""
    hearing = asyncio.create_task(hear_bridges(on.settings))
    async with on.connection() as connection:
        facts = await select_facts(connection, request_id)
        doors = (await select_doors(connection, Part(MOST))).things
        leader = await select_leader(connection)
    if facts is None:
        hearing.cancel()
        raise NotFoundError(f"There is no request {request_id}.")
    around = Around(
        bridges=await hearing,
        has_doors=any(door.is_open for door in doors),
        has_master_agent=any(door.is_open and door.has_master_agent for door in doors),
        leader=leader,
    )
    return Explanation(
        request_id=request_id,
        username=facts.username,
        session_id=facts.session_id,
        status=facts.status,
        created_at=facts.created_at,
        sent_at=facts.sent_at,
        deadline=facts.deadline,
        bridge_id=facts.bridge_id,
        because=[*conclude(facts, around)],
    )


def conclude(facts: Facts, around: Around) -> Iterator[str]:
    """What it waits for, in sentences; the first is the one that matters most."""
    match facts.status:
        case "queued":
            yield from _queued(facts, around)
        case "running" if facts.sent_at is None:
            yield from _prepared(facts, around)
        case "running":
            yield from _sent(facts, around)
        case _:
            yield f"It does not wait, it was ended at {facts.ended_at:%Y-%m-%d %H:%M:%S}Z."
            return
    if not facts.is_late:
        yield f"It is waited for {facts.seconds_left:,.0f} seconds longer at most."


def _queued(facts: Facts, around: Around) -> Iterator[str]:
    if facts.is_late:
        yield (
            "Its time is over: any bridge ends it within a second."
            " If it stays so, no bridge is alive, or none reaches PostgreSQL."
        )
    if facts.before_id is not None:
        state = "runs" if facts.before_status == "running" else "waits"
        yield (
            f"Request {facts.before_id} of the same chat was asked before it and {state}:"
            " a chat has one running request at a time."
        )
    yield from _bridges(around)
    if facts.before_id is None and not facts.is_late and around.bridges != set():
        yield from _turn(facts)


def _bridges(around: Around) -> Iterator[str]:
    if around.bridges is None:
        yield (
            "Redis can't be listened to, so it is not known which bridges there are;"
            " they look for requests once a second by themselves."
        )
    elif not around.bridges:
        yield (
            "No bridge says that it takes requests: none runs, all are going down,"
            " or they have another REDIS_URL or SECRET_KEY than this command."
        )


def _turn(facts: Facts) -> Iterator[str]:
    if facts.waited < JUST_NOW_SECONDS:
        yield "It has only just come: a bridge that heard of it takes it at once."
        return
    yield (
        f"It waits for a free lane of a bridge (ROUTER_LANES): {facts.all_running:,} requests run"
        f" and {facts.all_queued:,} wait. Bridges take first whose user has least running; its user"
        f" has {facts.user_running:,} running, and {facts.user_before:,} that wait longer."
    )


def _prepared(facts: Facts, around: Around) -> Iterator[str]:
    if facts.is_lost:
        yield (
            f"Bridge {facts.bridge_id} has it and says nothing any more: any other one takes it"
            " over within a second."
        )
    else:
        yield (
            f"Bridge {facts.bridge_id} has it and has not sent it yet: it waits for a connection to"
            " the router, or for its turn behind large ones of the same user."
        )
        if around.bridges is not None and facts.bridge_id not in around.bridges:
            yield "That bridge says no more that it takes requests: it is going down, or gone."
    yield from _bridges(around)
    if around.leader is None or not around.leader.is_held:
        yield "No bridge holds the session at the router: perhaps the router can't be reached."


def _sent(facts: Facts, around: Around) -> Iterator[str]:
    if facts.is_lost:
        yield (
            f"Bridge {facts.bridge_id} has sent it and says nothing any more: any other one ends it"
            " as interrupted within a second."
        )
    if facts.asked_id is not None:
        yield from _asked(facts)
    else:
        yield f"The master agent has had it for {facts.since_sent:,.0f} seconds."
        if around.has_doors and not around.has_master_agent:
            yield "The master agent is at no door: it has left, or is connected to the router."
    if facts.last_log_at is not None:
        yield f"The last log entry about it is of {facts.last_log_at:%Y-%m-%d %H:%M:%S}Z."


def _asked(facts: Facts) -> Iterator[str]:
    if facts.agent_alias is None:
        yield f"The flow {facts.asked_id} has had it for {facts.since_sent:,.0f} seconds."
        return
    yield f"The agent {facts.agent_alias} has had it for {facts.since_sent:,.0f} seconds."
    if not facts.agent_is_active:
        yield "That agent is not connected any more."
