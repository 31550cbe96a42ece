"""Two gateways, three bridges and all that they need; any of them may die and come back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random, choice
from typing import Any

from attrs import define, field
from websockets.exceptions import WebSocketException

from devstack.processes import HOST, Child, free_port
from shared.upgrade.migrate import migrate
from tests.faults.agents import Agents
from tests.faults.mortal import Mortal, Pair, hold_pair, hold_pooler
from tests.faults.sentinels import Sentinels, hold_sentinels
from tests.forked import start_forked
from tests.master import Invocation, Master, echo, run_master
from tests.pooler import Pooler
from tests.shared.line import Line, run_line
from tests.system import StartModule, System, create_database, make_environment, url_of, with_url

GATEWAYS = 2
BRIDGES = 3
LOGS_EACH = 3
LONGEST_STEP_SECONDS = 0.5
RECONNECT_SECONDS = 0.1
HELD, LOST = "the router session is held", "the router session was lost"


@define
class Installation:
    """What runs. One gateway and one bridge reach the others over lines that can be cut.

    They reach PostgreSQL through a pooler, which has the line.
    """

    system: System
    postgres: Pair
    redis: Sentinels
    pooler: Mortal[Pooler]
    lines: dict[str, Line]
    alterations: tuple[str, ...]
    agents: Agents | None  # where bridges have doors
    _starter: ThreadPoolExecutor  # of one thread: children die with the one that started them
    invoked: Counter[str] = field(factory=Counter)  # by request
    masters: list[Master] = field(factory=list)  # the last is the one that is connected
    killed: list[Child] = field(factory=list)
    _on_lines: set[str] = field(factory=set)
    _master_url: str = ""

    @property
    def gateways(self) -> list[Child]:
        """Those that live."""
        return self._living("gateway")

    @property
    def bridges(self) -> list[Child]:
        """Those that live."""
        return self._living("bridge")

    @property
    def leader(self) -> Child:
        """The bridge that holds the router session, or another where none has said so."""
        return max(self.bridges, key=_holds_the_session)

    @property
    def bridge_of_master(self) -> Child:
        """The bridge at whose door the master agent is, or any where it is at none."""
        bridges = {self._door_of(bridge): bridge for bridge in self.bridges}
        return bridges.get(self._master_url, self.bridges[0])

    @property
    def doors(self) -> list[str]:
        """The URLs of the doors of the bridges that live."""
        return [url for bridge in self.bridges if (url := self._door_of(bridge))]

    def _door_of(self, bridge: Child) -> str:
        """Bridges and doors are numbered alike; one that is not open yet is "", as is none."""
        number = int(bridge.name.removeprefix("bridge "))
        return self.system.doors[number - 1] if number <= len(self.system.doors) else ""

    @property
    def ended_by_themselves(self) -> list[str]:
        """The processes that are gone though nobody killed them."""
        ended = [child for child in self.system.children.values() if child.has_ended]
        return [child.name for child in ended if child not in self.killed]

    @property
    def addresses(self) -> list[str]:
        """The URLs of the gateways that live; one that is not ready yet has none."""
        numbers = [int(child.name.removeprefix("gateway ")) for child in self.gateways]
        urls = dict(enumerate(self.system.gateways, 1))
        return [urls[number] for number in numbers if number in urls]

    def _living(self, kind: str) -> list[Child]:
        children = self.system.children.items()
        return [child for name, child in children if name.startswith(kind) and not child.has_ended]

    async def run[T](self, blocking: Callable[[], T]) -> T:
        """Do what would block, as starting a process does."""
        return await asyncio.get_running_loop().run_in_executor(self._starter, blocking)

    def kill(self, child: Child) -> None:
        """Crash a process of the system."""
        self.killed.append(child)
        child.kill()

    async def complete(self) -> None:
        """Start the gateways and bridges that are missing."""
        while len(self.gateways) < GATEWAYS:
            await self._start(self.system.start_gateway, self.gateways)
        start_bridge = self.system.start_door if self.agents else self.system.start_bridge
        while len(self.bridges) < BRIDGES:
            await self._start(partial(start_bridge, *self.alterations), self.bridges)

    async def _start(self, start: Callable[..., Child], others: list[Child]) -> None:
        """Start one more, which gets the lines where no other has them."""
        has_lines = any(other.name in self._on_lines for other in others)
        child = await self.run(partial(start, **({} if has_lines else self._line_variables)))
        if not has_lines:
            self._on_lines.add(child.name)

    @property
    def _line_variables(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.url_by(self.pooler.server.port),
            "REDIS_URL": f"redis://{HOST}:{self.lines['redis'].port}/0",
            "ROUTER_WS_URL": f"ws://{HOST}:{self.lines['router'].port}/ws",
        }

    async def restart_router(self, seconds: float) -> None:
        """Crash the router; after so many seconds there is another."""
        self.kill(self.system.children["router"])
        await asyncio.sleep(seconds)
        await self.run(self.system.start_router)

    async def fail_over(self, seconds: float) -> None:
        """Crash PostgreSQL's primary; after so many seconds its standby is the primary."""
        await self.run(self.postgres.kill)
        await asyncio.sleep(seconds)
        await self.run(self.postgres.promote)
        self.lines["postgres"].target = self.postgres.server.port
        await self.run(self.postgres.follow)

    async def follow_redis(self) -> None:
        """Have the line lead to the master of the moment, and whoever was connected come again."""
        line, port = self.lines["redis"], await self.run(lambda: self.redis.port)
        if line.target != port:
            line.target = port
            await line.drop()

    async def close(self) -> None:
        """End all that runs, each where it was started."""
        for child in self.system.children.values():
            child.kill()
        await self.run(self.system.close)
        await self.run(self.postgres.stop)
        await self.run(self.pooler.stop)
        await self.run(self.redis.stop)
        self._starter.shutdown()

    async def work(self, invocation: Invocation) -> Any:
        """What the master agent does: it calls an agent, logs, takes a moment, and echoes."""
        self.invoked[invocation.request_id] += 1
        if self.agents:
            await self.agents.call(invocation)
        random = Random(invocation.request_id)  # noqa: S311
        for number in range(LOGS_EACH):
            await invocation.log(f"{number} of {invocation.payload['message']}")
            await asyncio.sleep(random.uniform(0, LONGEST_STEP_SECONDS))
        return await echo(invocation)

    async def keep_master(self) -> None:
        """Have a master agent connected, for ever."""
        router = self.system.router_url
        while True:
            self._master_url = choice(self.doors) if self.doors else ""  # noqa: S311
            try:
                async with run_master(router, self.work, door_url=self._master_url) as master:
                    self.masters.append(master)
                    await master.connection.wait_closed()
            except (OSError, WebSocketException):
                await asyncio.sleep(RECONNECT_SECONDS)


def _holds_the_session(bridge: Child) -> bool:
    log = bridge.log.read_text()
    return log.rfind(HELD) > log.rfind(LOST)


@asynccontextmanager
async def run_installation(
    *alterations: str, has_doors: bool = False, start_module: StartModule = start_forked
) -> AsyncIterator[Installation]:
    """An installation that is complete, with a master agent; the bridges are so altered.

    With doors the master agent comes in through one of them, and has agents called that do too.
    """
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(hold_pair())
        redis = stack.enter_context(hold_sentinels())
        starter = ThreadPoolExecutor(1)
        run = partial(asyncio.get_running_loop().run_in_executor, starter)
        server = await run(postgres.start)
        await run(redis.start)
        database = await run(create_database, server)
        await run(migrate, url_of(server, database))
        await run(postgres.follow)
        environment = with_url(
            make_environment(server, database, redis, free_port()), postgres.url_of(database)
        )
        # Otherwise a bridge that finds the form out invokes the first request twice.
        environment["MASTER_AGENT_CONTRACT"] = "enriched"
        targets = {
            "postgres": server.port,
            "redis": redis.port,
            "router": int(environment["ROUTER_PORT"]),
        }
        lines = {
            name: await stack.enter_async_context(run_line(port)) for name, port in targets.items()
        }
        system = System(environment, start_module)
        agents = Agents(lambda: installation.doors) if has_doors else None
        pooler = stack.enter_context(hold_pooler(server, lines["postgres"].port))
        await run(pooler.start)
        installation = Installation(
            system, postgres, redis, pooler, lines, alterations, agents, starter
        )
        stack.push_async_callback(installation.close)
        await installation.run(system.start_router)
        await installation.complete()
        keeping = asyncio.create_task(installation.keep_master())
        try:
            yield installation
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
