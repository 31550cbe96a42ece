"""What is done to an installation, one thing after the other; each is made good before the next."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from random import Random

from attrs import frozen

from agent_bridge.doors import queries
from devstack.processes import Child
from tests.agent_bridge.broken import freezing
from tests.faults.altered import LEASE_SECONDS
from tests.faults.installation import Installation

PAUSE_SECONDS = (0.1, 0.8)
AWAY_SECONDS = (0.3, 2.0)
HANDS = 3  # so many plans in a row try every fault

type Do = Callable[[Installation, float], Awaitable[None]]


@frozen
class Fault:
    """Something that happens. It is given how many seconds it lasts, and makes it good."""

    name: str
    do: Do
    seconds: tuple[float, float] = AWAY_SECONDS


async def _freeze(child: Child, seconds: float) -> None:
    with freezing(child):
        await asyncio.sleep(seconds)


async def _kill(installation: Installation, child: Child, seconds: float) -> None:
    installation.kill(child)
    await asyncio.sleep(seconds)
    await installation.complete()


async def kill_gateway(installation: Installation, seconds: float) -> None:
    await _kill(installation, installation.gateways[0], seconds)


def _follower(installation: Installation) -> Child:
    leader = installation.leader
    return next(bridge for bridge in installation.bridges if bridge != leader)


async def kill_bridge(installation: Installation, seconds: float) -> None:
    await _kill(installation, _follower(installation), seconds)


async def kill_leader(installation: Installation, seconds: float) -> None:
    await _kill(installation, installation.leader, seconds)


async def freeze_gateway(installation: Installation, seconds: float) -> None:
    await _freeze(installation.gateways[0], seconds)


async def freeze_bridge(installation: Installation, seconds: float) -> None:
    await _freeze(_follower(installation), seconds)


async def freeze_leader(installation: Installation, seconds: float) -> None:
    await _freeze(installation.leader, seconds)


async def kill_door(installation: Installation, seconds: float) -> None:
    await _kill(installation, installation.bridge_of_master, seconds)


async def freeze_door(installation: Installation, seconds: float) -> None:
    await _freeze(installation.bridge_of_master, seconds)


async def freeze_redis(installation: Installation, seconds: float) -> None:
    await _freeze(await installation.run(lambda: installation.redis.master), seconds)
    await installation.follow_redis()


async def kill_router(installation: Installation, seconds: float) -> None:
    await installation.restart_router(seconds)


async def kill_master(installation: Installation, _seconds: float) -> None:
    """It connects again by itself."""
    installation.masters[-1].connection.transport.abort()


async def kill_redis(installation: Installation, seconds: float) -> None:
    port = await installation.run(installation.redis.kill)
    await asyncio.sleep(seconds)
    await installation.run(partial(installation.redis.restart, port))
    await installation.follow_redis()


async def fail_over_redis(installation: Installation, _seconds: float) -> None:
    await installation.run(installation.redis.hand_over)
    await installation.follow_redis()


async def restart_pooler(installation: Installation, seconds: float) -> None:
    await installation.run(installation.pooler.kill)
    await asyncio.sleep(seconds)
    await installation.run(installation.pooler.start)


async def kill_postgres(installation: Installation, seconds: float) -> None:
    await installation.run(installation.postgres.kill)
    await asyncio.sleep(seconds)
    await installation.run(installation.postgres.start)


async def fail_over_postgres(installation: Installation, seconds: float) -> None:
    await installation.fail_over(seconds)


async def cut_line(name: str, installation: Installation, seconds: float) -> None:
    await installation.lines[name].cut()
    await asyncio.sleep(seconds)
    await installation.lines[name].mend()


async def drop_line(name: str, installation: Installation, _seconds: float) -> None:
    await installation.lines[name].drop()


async def stall_line(name: str, installation: Installation, seconds: float) -> None:
    installation.lines[name].stall()
    await asyncio.sleep(seconds)
    await installation.lines[name].mend()


LEASES = max(LEASE_SECONDS, queries.LEASE_SECONDS)  # of requests and doors
PAST_THE_LEASE = LEASES + 1.0, LEASES + 2.0
FAULTS = [
    Fault("kill a gateway", kill_gateway),
    Fault("kill PostgreSQL", kill_postgres),
    Fault("fail over the database", fail_over_postgres),
    Fault("freeze a bridge past its lease", freeze_bridge, PAST_THE_LEASE),
    Fault("freeze a gateway", freeze_gateway, (1.0, 4.0)),
    Fault("kill the leader", kill_leader),
    Fault("kill Redis", kill_redis),
    Fault("fail over Redis", fail_over_redis),
    Fault("restart the pooler", restart_pooler),
    Fault("freeze the leader past its lease", freeze_leader, PAST_THE_LEASE),
    Fault("kill a bridge", kill_bridge),
    Fault("kill the router", kill_router),
    Fault("kill the master agent", kill_master),
    Fault("freeze Redis", freeze_redis, (1.0, 6.0)),
    Fault("kill the bridge of the master agent", kill_door),
    Fault("freeze the bridge of the master agent", freeze_door),
    Fault("freeze the bridge of the master agent past its lease", freeze_door, PAST_THE_LEASE),
    *(
        Fault(f"{verb} the line to {name}", partial(do, name))
        for verb, do in (("cut", cut_line), ("drop", drop_line), ("stall", stall_line))
        for name in ("postgres", "redis", "router")
    ),
]


def plan(seed: int) -> Iterator[tuple[Fault, float, float]]:
    """Faults, each with how long to wait before it and how long it lasts, in seconds."""
    random = Random(seed)  # noqa: S311
    faults = FAULTS[seed % HANDS :: HANDS]
    random.shuffle(faults)
    for fault in faults:
        yield fault, random.uniform(*PAUSE_SECONDS), random.uniform(*fault.seconds)
