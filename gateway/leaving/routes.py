"""Leaving: by oneself, by an administrator, and how far that is."""

from typing import Any
from uuid import UUID

from gateway.accounts.choosing import ask_password
from gateway.audit.acting import actor_of
from gateway.leaving import queries
from gateway.leaving.beginning import LastAdministratorError, begin_deletion
from gateway.leaving.deletion import Deletion
from gateway.leaving.schemas import DeletionPage, Farewell, WhoLeaves
from gateway.users.routes import LAST
from gateway.users.schemas import AccountId
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from gateway.web.scopes import ADMINISTERING
from shared.postgres.pool import connect


async def create_deletion(call: Call[Farewell, Nothing]) -> Deletion:
    """Delete one's own account with all that it has; the password is asked for.

    All is over at once: sign-ins, keys, sockets, agents and requests. What there is is removed in
    the background, and the name is free thereafter.
    """
    async with call.turn("create_deletion"):
        await ask_password(call, call.body.password or "")
        return await _begin(call, call.user_id)


async def delete_user(call: Call[Nothing, AccountId]) -> Deletion:
    """Delete a user's account with all that it has, as an administrator."""
    return await _begin(call, call.parameters.user_id)


async def _begin(call: Call[Any, Any], user_id: UUID) -> Deletion:
    state = call.state
    try:
        deletion = await begin_deletion(
            call.database,
            state["notifications"],
            state["revocations"],
            state["deletions"],
            user_id,
            actor_of(call),
        )
    except LastAdministratorError:
        raise BadRequestError(LAST) from None
    if deletion is None:
        raise BadRequestError(f"User '{user_id}' does not exist")
    return deletion


async def list_account_deletions(call: Call[Nothing, DeletionPage]) -> Page[Deletion]:
    """List accounts that are being deleted, or were in the last 30 days, newest first."""
    return await call.read_page(queries.select_deletions)


async def read_account_deletion(call: Call[Nothing, WhoLeaves]) -> Deletion:
    """Read how far the deletion of an account is, and what it has removed."""
    user_id = call.parameters.user_id
    async with connect(call.database) as connection:
        deletion = await queries.select_deletion(connection, user_id)
    if deletion is None:
        raise BadRequestError(f"No account '{user_id}' is being deleted, or was lately")
    return deletion


DELETIONS = "/api/account-deletions"
operations = [
    Operation(
        method="POST",
        path="/api/me/deletion",
        handler=create_deletion,
        body=Farewell,
        needs_body=False,
        result=Deletion,
        status=202,
        bounded=True,
        lends=False,
    ),
    Operation(
        method="DELETE",
        path="/api/users/{user_id}",
        handler=delete_user,
        parameters=AccountId,
        result=Deletion,
        status=202,
        access=Access.ADMIN,
        scopes=ADMINISTERING,
    ),
    Operation(
        method="GET",
        path=DELETIONS,
        handler=list_account_deletions,
        parameters=DeletionPage,
        result=list[Deletion],
        access=Access.ADMIN,
        scopes=ADMINISTERING,
        fails=False,
    ),
    Operation(
        method="GET",
        path=f"{DELETIONS}/{{user_id}}",
        handler=read_account_deletion,
        parameters=WhoLeaves,
        result=Deletion,
        access=Access.ADMIN,
        scopes=ADMINISTERING,
    ),
]
