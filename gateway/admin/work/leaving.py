"""Deleting a user with all that he has, beside the gateways, which may do a part of it."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from gateway.admin.faults import NotFoundError, RefusedError
from gateway.admin.work.finding import find_user, read_id
from gateway.admin.work.installation import Installation
from gateway.audit.noting import COMMAND
from gateway.files.objects import Objects
from gateway.files.storage import create_storage
from gateway.leaving.beginning import LastAdministratorError, begin_deletion
from gateway.leaving.deletion import Deletion
from gateway.leaving.queries import select_deletion
from gateway.leaving.working import Deletions
from gateway.signins.revocations import Revocations

LAST = "This is the last administrator: make another user one first."
ASK_SECONDS = 0.2  # between two looks at what a gateway does


async def delete_user(on: Installation, user: str, tell: Callable[[str], None]) -> Deletion:
    """What has been removed. Raises NotFoundError, RefusedError."""
    async with on.notifications() as notifications:
        objects = Objects(on.database, create_storage(on.settings))
        deletions = Deletions(on.database, objects, notifications)
        revocations = Revocations(on.database, notifications)
        user_id = await _find(on, user)
        try:
            deletion = await begin_deletion(
                on.database, notifications, revocations, deletions, user_id, COMMAND
            )
        except LastAdministratorError:
            raise RefusedError(LAST) from None
        while deletion is None or deletion.ended_at is None:
            deletion = await deletions.do_part(user_id)
            if deletion is None:  # a gateway is at it
                await asyncio.sleep(ASK_SECONDS)
                deletion = await _read(on, user_id)
            tell(f"{deletion.step}: {deletion.counts}")
    return deletion


async def _find(on: Installation, user: str) -> UUID:
    """Somebody whose deletion has ended is found by the id."""
    async with on.connection() as connection:
        id_ = read_id(user)
        if id_ is not None and await select_deletion(connection, id_) is not None:
            return id_
        return await find_user(connection, user)


async def _read(on: Installation, user_id: UUID) -> Deletion:
    async with on.connection() as connection:
        deletion = await select_deletion(connection, user_id)
    if deletion is None:
        raise NotFoundError(f"There is no user '{user_id}'.")
    return deletion
