"""Looks up again what users have added, in one gateway of all: who holds a lock does it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from databases import Database

from gateway.remote.kinds import Kind
from gateway.remote.outbound import Outbound
from gateway.remote.shares import Shares
from gateway.remote.urls import show
from shared.postgres.locks import APART_ERRORS, REFRESH_LOCK, connect_apart
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

type Place = tuple[Kind[Any], str]
"""A URL, and what is there."""


class Refresh:
    """Looks up in rounds what is due, each URL once for all its owners."""

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
        """Begin one round after the other, while no other gateway does."""
        while True:
            try:
                await self._run_with_lock()
            except* APART_ERRORS as errors:
                error = errors.exceptions[0]
                logger.warning("the lock of the refresh can't be had or kept: %r", error)
            await asyncio.sleep(self._settings.refresh_seconds)

    async def _run_with_lock(self) -> None:
        """Begin rounds until the lock's connection fails; return at once if another has it."""
        connection = await connect_apart(self._settings, "refresh")
        try:
            async with asyncio.TaskGroup() as tasks:
                shares = Shares(tasks, self.look_up_again)
                sql = "SELECT pg_try_advisory_lock($1)"
                has_lock = await connection.fetchval(sql, REFRESH_LOCK)
                while has_lock:
                    await self.begin_round(shares)
                    await asyncio.sleep(self._settings.refresh_seconds)
                    has_lock = await connection.fetchval("SELECT true")
        finally:
            connection.terminate()

    async def begin_round(self, shares: Shares[Place]) -> None:
        """Have all looked up that is due, and wait for none of it: what hangs delays no round."""
        try:
            async with connect(self._database) as connection:
                found = [
                    ((kind, url), owner)
                    for kind in self._kinds
                    for url, owner in await kind.select_due(connection)
                ]
        except DatabaseAwayError as error:
            logger.warning("nothing can be looked up again: %s", error)
            return
        for place, owner in found:
            shares.want(place, owner)

    async def look_up_again(self, place: Place) -> None:
        """Look a URL up, and log what goes wrong with it."""
        kind, url = place
        try:
            await kind.look_up_again(self._database, self._outbound, url)
        except DatabaseAwayError as error:
            logger.warning("what %s answered could not be stored: %s", show(url), error)
        except Exception:
            logger.exception("%s could not be looked up again", show(url))
