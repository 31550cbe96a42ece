"""Looking at all parts, at most once a second, for all who want to know."""

import asyncio
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from databases import Database
from redis.exceptions import RedisError

from gateway.parts import queries
from gateway.parts.rounds import PROCESSES_LIMIT, Rounds
from gateway.parts.schemas import Door, Leader, Parts, Queue, Store
from gateway.web.paging import Slice
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.health import Readiness
from shared.redis.servers import RedisServer
from shared.settings.gateway import GatewaySettings

REST_SECONDS = 1.0  # from the begin of a look to that of the next one
VERSION_SECONDS = 1.0  # in which Redis has said its own

type Found = tuple[str, Leader | None, list[Door], Queue]
"""PostgreSQL's version, and what it knows."""


class Looking:
    """One gateway's looks; who asks while one goes on, or soon after it, is told the same."""

    def __init__(
        self, settings: GatewaySettings, database: Database, redis: RedisServer, rounds: Rounds
    ) -> None:
        self._settings = settings
        self._database = database
        self._redis = redis
        self._rounds = rounds
        self._look: asyncio.Task[Parts] | None = None
        self._began = 0.0

    async def look(self, readiness: Readiness) -> Parts:
        """How all parts are. Raises nothing where one is away: that is what is told."""
        if self._look is None or (self._look.done() and monotonic() - self._began >= REST_SECONDS):
            self._began = monotonic()
            self._look = asyncio.create_task(self._look_at_all(readiness))
        return await asyncio.shield(self._look)

    async def _look_at_all(self, readiness: Readiness) -> Parts:
        at = datetime.now(UTC)
        answers, found, redis, states = await asyncio.gather(
            self._rounds.ask(), self._ask_postgres(), self._ask_redis(), readiness.look()
        )
        version, leader, doors, queue = found or (None, None, None, None)
        versions = {"postgresql": version, "redis": redis}
        return Parts(
            at=at,
            gateway_id=self._rounds.gateway_id,
            hears_others=answers.are_all,
            processes=answers.processes,
            silent=answers.silent,
            stores=[self._store(name, state, versions) for name, state in states.items()],
            router_session=leader,
            doors=doors,
            queue=queue,
        )

    def _store(self, name: str, state: dict[str, Any], versions: dict[str, str | None]) -> Store:
        kinds = {
            "redis": self._redis.kind,
            "files": "a bucket" if self._settings.files_url else "a folder",
        }
        version = versions.get(name)
        why = state.get("why")
        return Store(name, state["is_up"], why, state["ms"], kinds.get(name), version)

    async def _ask_postgres(self) -> Found | None:
        try:
            async with connect(self._database) as connection:
                version = connection.raw_connection.get_server_version()
                leader = await queries.select_leader(connection)
                doors = await queries.select_doors(connection, Slice(PROCESSES_LIMIT, 0))
                queue = await queries.select_queue(connection)
        except DatabaseAwayError:
            return None
        # asyncpg has 18.4 as 18.0.4.
        return f"{version.major}.{version.micro}", leader, doors.things(), queue

    async def _ask_redis(self) -> str | None:
        """Which server it is, and its version; None: it does not answer."""
        try:
            async with asyncio.timeout(VERSION_SECONDS):
                hello = await self._redis.client.execute_command("HELLO")  # type: ignore[no-untyped-call]
        except (RedisError, OSError):  # a TimeoutError is an OSError
            return None
        said = {name.decode(): value for name, value in hello.items()}
        return f"{said['server'].decode().capitalize()} {said['version'].decode()}"
