"""Removes in the background what users had who leave: in parts, each a short transaction.

A part and the note of it are one transaction, which holds the deletion as long as it runs. So one
gateway works on a user at a time, whatever is killed has done its part wholly or not at all, the
numbers are exact, and any other gateway goes on.
"""

import asyncio
import logging
from collections import Counter
from uuid import UUID

from attrs import define, field
from databases import Database
from databases.core import Connection

from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from gateway.audit.queries import set_actor
from gateway.files.objects import Objects
from gateway.leaving import queries
from gateway.leaving.deletion import Deletion
from gateway.leaving.queries import DONE, Claimed
from gateway.leaving.steps import ACCOUNT, AGENTS, FILES, OPEN_REQUESTS, STEPS
from gateway.requests.cancellation import CANCELLED
from shared.domain.endings import end_request, failed
from shared.notifications.bus import Notifications
from shared.notifications.channels import CANCELLED_REQUESTS, REVOKED_TOKENS
from shared.notifications.formats import encode_cancelled, encode_revoked
from shared.postgres.pool import DatabaseAwayError, columns, connect, transaction

logger = logging.getLogger(__name__)

ROUND_SECONDS = 10.0
PART = 1000  # rows that a transaction removes
CANCELLED_AT_ONCE = 100

_ORDER = [*(step.name for step in STEPS), ACCOUNT]
_STATEMENTS = {step.name: step.sql for step in STEPS}


@define
class _Removed:
    """What a transaction has removed, and what is to be told when it is stored."""

    counts: Counter[str] = field(factory=Counter)
    objects: list[str] = field(factory=list)
    agents: list[UUID] = field(factory=list)


class Deletions:
    """Works on whoever leaves, in each gateway; a command may too."""

    def __init__(self, database: Database, objects: Objects, notifications: Notifications) -> None:
        self._database = database
        self._objects = objects
        self._notifications = notifications
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """Have somebody looked after soon who has just left."""
        self._wanted.set()

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            self._wanted.clear()
            try:
                while await self.do_part() is not None:
                    pass
                async with connect(self._database) as connection:
                    await queries.forget_deletions(connection)
            except DatabaseAwayError as error:
                logger.warning("accounts are deleted later: %s", error)
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def cancel_requests(self, user_id: UUID) -> None:
        """Do the first step: cancel what a user has waiting or running.

        Not in one transaction, as each is told at once. Raises DatabaseAwayError.
        """
        total = 0
        while number := await self._cancel_some(user_id):
            total += number
        async with connect(self._database) as connection, transaction(connection):
            claimed = await queries.claim_deletion(connection, user_id)
            if claimed is not None and claimed.step == OPEN_REQUESTS:
                counts = Counter(cancelled_requests=total)
                await queries.update_deletion(connection, user_id, STEPS[0].name, counts)

    async def _cancel_some(self, user_id: UUID) -> int:
        """How many were found."""
        async with connect(self._database) as connection:
            found = await queries.select_open_requests(connection, user_id, CANCELLED_AT_ONCE)
            for request in found:
                outcome = failed(CANCELLED, "cancelled")
                is_ended = await end_request(connection, self._notifications, request, outcome)
                if is_ended and request.claim_id is not None:
                    told = encode_cancelled(request.claim_id)
                    self._notifications.publish(CANCELLED_REQUESTS, told)
        return len(found)

    async def do_part(self, user_id: UUID | None = None) -> Deletion | None:
        """Do a part of somebody's deletion, or of this user's; how far it is then.

        None: there is none, or others do it. Raises DatabaseAwayError.
        """
        removed = _Removed()
        async with connect(self._database) as connection, transaction(connection):
            claimed = await queries.claim_deletion(connection, user_id)
            if claimed is None:
                return None
            await set_actor(connection, _actor(claimed).said())
            if claimed.step == OPEN_REQUESTS:
                deletion = await queries.update_deletion(
                    connection, claimed.user_id, OPEN_REQUESTS, {}
                )
            else:
                deletion = await self._remove_some(connection, claimed, removed)
        if claimed.step == OPEN_REQUESTS:
            await self.cancel_requests(claimed.user_id)
        else:
            await self._tell(deletion, removed)
        return deletion

    async def _remove_some(
        self, connection: Connection, claimed: Claimed, removed: _Removed
    ) -> Deletion:
        """Remove a part of what there is, and note it."""
        place = _ORDER.index(claimed.step)
        while _ORDER[place] != ACCOUNT and removed.counts.total() < PART:
            found = await _remove(connection, _ORDER[place], claimed.user_id, removed)
            removed.counts += found
            if not found.total():
                place += 1
        step, counts = _ORDER[place], removed.counts
        deletion = await queries.update_deletion(connection, claimed.user_id, step, counts)
        return await self._finish(connection, claimed) if step == ACCOUNT else deletion

    async def _finish(self, connection: Connection, claimed: Claimed) -> Deletion:
        """Delete the user himself, and note it with all numbers. His name is free from then on."""
        user_id = claimed.user_id
        deletion = await queries.update_deletion(connection, user_id, DONE, {})
        await queries.delete_user(connection, user_id)
        await audit(
            connection,
            _actor(claimed),
            Action.USER_DELETED,
            object_id=user_id,
            owner_id=user_id,
            details={"removed": deletion.counts},
        )
        return deletion

    async def _tell(self, deletion: Deletion, removed: _Removed) -> None:
        for agent_id in removed.agents:
            self._notifications.publish(REVOKED_TOKENS, encode_revoked(agent_id))
        await self._objects.remove(*removed.objects)
        if deletion.ended_at is not None:
            counts = ", ".join(f"{number} {kind}" for kind, number in deletion.counts.items())
            logger.info("the account %s is deleted: %s", deletion.user_id, counts)


async def _remove(
    connection: Connection, name: str, user_id: UUID, removed: _Removed
) -> Counter[str]:
    """Do a statement once; how much it has removed."""
    row = await connection.fetch_one(_STATEMENTS[name], {"owner": user_id, "most": PART})
    assert row is not None, "it counts"
    found = columns(row)
    told = found.pop("told", None) or []
    if name == FILES.name:
        removed.objects += told
    elif name == AGENTS.name:
        removed.agents += told
    return Counter(found)


def _actor(claimed: Claimed) -> Actor:
    """Who has asked for it."""
    said = claimed.actor
    user_id, credential_id = (
        said[name] and UUID(said[name]) for name in ("actor_id", "credential_id")
    )
    return Actor(said["via"], user_id, credential_id, said["address"])
