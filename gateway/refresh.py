"""Looks MCP servers and A2A agents up again, in one gateway of all: who holds a lock does it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from databases import Database

from gateway.a2a import lookup as a2a_lookup
from gateway.a2a import queries as a2a
from gateway.mcp import lookup as mcp_lookup
from gateway.mcp import queries as mcp
from gateway.remote.outbound import Outbound, UnreachableError
from shared.postgres.locks import LOCK_ERRORS, REFRESH_LOCK, connect_for_lock
from shared.postgres.pool import DatabaseAwayError, connect, transaction
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

AT_A_TIME = 8

type LookUp = Callable[[str], Awaitable[None]]


class Refresh:
    """Goes round all URLs for ever, each once for all its owners."""

    def __init__(self, settings: GatewaySettings, database: Database, outbound: Outbound) -> None:
        self._settings = settings
        self._database = database
        self._outbound = outbound

    async def run(self) -> None:
        """Go round, while no other gateway does."""
        while True:
            try:
                await self._run_with_lock()
            except LOCK_ERRORS as error:
                logger.warning("the lock of the refresh can't be had or kept: %r", error)
            await asyncio.sleep(self._settings.refresh_seconds)

    async def _run_with_lock(self) -> None:
        """Go round until the lock's connection fails; return at once if another has it."""
        connection = await connect_for_lock(self._settings, "refresh")
        try:
            has_lock = await connection.fetchval("SELECT pg_try_advisory_lock($1)", REFRESH_LOCK)
            while has_lock:
                await self.go_round()
                has_lock = await connection.fetchval("SELECT true")
                await asyncio.sleep(self._settings.refresh_seconds)
        finally:
            connection.terminate()

    async def go_round(self) -> None:
        """Look every URL up once, a few at a time."""
        try:
            async with connect(self._database) as connection:
                servers = await mcp.select_urls(connection)
                agents = await a2a.select_urls(connection)
        except DatabaseAwayError as error:
            logger.warning("nothing can be looked up again: %s", error)
            return
        slots = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            for url in servers:
                tasks.create_task(_in_turn(slots, self._refresh_server, url))
            for url in agents:
                tasks.create_task(_in_turn(slots, self._refresh_agent, url))

    async def _refresh_server(self, url: str) -> None:
        try:
            tools = await mcp_lookup.look_up(self._outbound, url)
        except UnreachableError as error:
            logger.info("MCP server %s: %s", url, error)
            async with connect(self._database) as connection:
                await mcp.deactivate_servers(connection, url)
            return
        async with connect(self._database) as connection, transaction(connection):
            ids = await mcp.activate_servers(connection, url)
            await mcp.update_tools(connection, ids, tools)

    async def _refresh_agent(self, url: str) -> None:
        try:
            card = await a2a_lookup.look_up(self._outbound, url)
        except UnreachableError as error:
            logger.info("A2A agent %s: %s", url, error)
            async with connect(self._database) as connection:
                await a2a.deactivate_agents(connection, url)
            return
        async with connect(self._database) as connection:
            await a2a.update_agents(connection, url, card)


async def _in_turn(slots: asyncio.Semaphore, refresh: LookUp, url: str) -> None:
    async with slots:
        try:
            await refresh(url)
        except DatabaseAwayError as error:
            logger.warning("what %s answered could not be stored: %s", url, error)
        except Exception:
            logger.exception("%s could not be looked up again", url)
