"""Looks up again what users have added, in one gateway of all: who holds a lock does it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from databases import Database

from gateway.remote.kinds import Kind
from gateway.remote.outbound import Outbound
from gateway.remote.urls import show
from shared.postgres.locks import APART_ERRORS, REFRESH_LOCK, connect_apart
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

AT_A_TIME = 8


class Refresh:
    """Goes round all URLs for ever, each once for all its owners."""

    def __init__(
        self,
        settings: GatewaySettings,
        database: Database,
        outbound: Outbound,
        kinds: Sequence[Kind[Any]],
    ) -> None:
        self._kinds = kinds
        self._settings = settings
        self._database = database
        self._outbound = outbound

    async def run(self) -> None:
        """Go round, while no other gateway does."""
        while True:
            try:
                await self._run_with_lock()
            except APART_ERRORS as error:
                logger.warning("the lock of the refresh can't be had or kept: %r", error)
            await asyncio.sleep(self._settings.refresh_seconds)

    async def _run_with_lock(self) -> None:
        """Go round until the lock's connection fails; return at once if another has it."""
        connection = await connect_apart(self._settings, "refresh")
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
                found = [
                    (kind, url)
                    for kind in self._kinds
                    for url in await kind.select_urls(connection)
                ]
        except DatabaseAwayError as error:
            logger.warning("nothing can be looked up again: %s", error)
            return
        slots = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            for kind, url in found:
                tasks.create_task(self._refresh_in_turn(slots, kind, url))

    async def _refresh_in_turn(self, slots: asyncio.Semaphore, kind: Kind[Any], url: str) -> None:
        async with slots:
            try:
                await kind.look_up_again(self._database, self._outbound, url)
            except DatabaseAwayError as error:
                logger.warning("what %s answered could not be stored: %s", show(url), error)
            except Exception:
                logger.exception("%s could not be looked up again", show(url))
