"""Renews tokens before they end, in every gateway: who claims a grant does it, and nobody else."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from databases import Database

from gateway.grants import queries
from gateway.grants.kept import Given, GrantEndedError
from gateway.grants.queries import ClaimedGrant
from gateway.grants.sealing import seal_given
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.shares import Shares
from gateway.remote.urls import show
from shared.domain.grants import open_grant, seal_grant
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.later import Later
from shared.secrets import UndecryptableError, Vault

if TYPE_CHECKING:
    from gateway.grants import flows
else:  # which imports the SDK
    flows = Later("gateway.grants.flows")

logger = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
ROUND_LIMIT = 1000  # grants
CLAIM_SECONDS = 60.0  # then another gateway may renew what one has begun to
VISIT_SECONDS = 20.0
RETRY_SECONDS = 60.0
STORING_TIMES = 10  # what is given once is lost if it is not stored
STORING_SECONDS = 2.0
GOODBYE_SECONDS = 5.0


class Renewals:
    """Those of this gateway."""

    def __init__(self, database: Database, vault: Vault, outbound: Outbound) -> None:
        self._database = database
        self._vault = vault
        self._outbound = outbound

    async def run(self) -> None:
        """Renew for ever what is due, for each owner some at a time."""
        async with asyncio.TaskGroup() as tasks:
            shares = Shares(tasks, self.renew)
            while True:
                await self.begin_round(shares)
                await asyncio.sleep(ROUND_SECONDS)

    async def begin_round(self, shares: Shares[UUID]) -> None:
        """Have renewed what is due, and wait for none of it."""
        try:
            async with connect(self._database) as connection:
                due = await queries.select_due(connection, ROUND_LIMIT)
        except DatabaseAwayError as error:
            logger.warning("no tokens can be renewed: %s", error)
            return
        for server_id, owner in due:
            shares.want(server_id, owner)

    async def renew(self, server_id: UUID) -> None:
        """Renew the tokens for a server, unless another gateway does."""
        try:
            async with connect(self._database) as connection:
                claimed = await queries.claim_grant(connection, server_id, CLAIM_SECONDS)
            if claimed is not None:
                await _finish(self._renew(claimed))
        except DatabaseAwayError as error:
            logger.warning("tokens for a server of a user's are not renewed: %s", error)
        except Exception:
            logger.exception("tokens for server %s can't be renewed", server_id)

    async def _renew(self, claimed: ClaimedGrant) -> None:
        """Without a connection while the authorization server is asked."""
        where = show(claimed.server_url)
        try:
            given = await self._ask(claimed)
            sealed = seal_given(self._vault, claimed.id, given.grant)
        except GrantEndedError as error:
            logger.info("MCP server %s: its owner has to log in again: %s", where, error)
            await self._end(claimed)
        except (UnreachableError, UndecryptableError) as error:
            logger.info("MCP server %s: its tokens are renewed later: %s", where, error)
            async with connect(self._database) as connection:
                await queries.postpone_renewal(connection, claimed, RETRY_SECONDS)
        else:
            await self._store(claimed, sealed, given.renew_in)

    async def _ask(self, claimed: ClaimedGrant) -> Given:
        grant = open_grant(self._vault, claimed.id, claimed.oauth)
        return await flows.renew_grant(self._outbound, grant, VISIT_SECONDS)

    async def _store(self, claimed: ClaimedGrant, sealed: str, renew_in: float | None) -> None:
        for _ in range(STORING_TIMES):
            try:
                async with connect(self._database) as connection:
                    await queries.update_renewed(connection, claimed, sealed, renew_in)
            except DatabaseAwayError as error:
                logger.warning("tokens that were renewed are not stored yet: %s", error)
                await asyncio.sleep(STORING_SECONDS)
            else:
                return

    async def _end(self, claimed: ClaimedGrant) -> None:
        """A client that the user has had registered stays."""
        grant = open_grant(self._vault, claimed.id, claimed.oauth)
        left = attrs.evolve(grant, access_token=None, refresh_token=None)
        sealed = seal_grant(self._vault, claimed.id, left) if grant.is_given else None
        async with connect(self._database) as connection:
            await queries.end_grant(connection, claimed, sealed)


async def _finish(work: Coroutine[None, None, None]) -> None:
    """Do it to its end, if that is near, also where this process ends: what has been asked for is
    given once."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=GOODBYE_SECONDS)
        task.cancel()
        raise
