"""Finding users, and what they may do: for administrators; and who one is oneself."""

from uuid import UUID

from gateway.audit.acting import acting
from gateway.signins.queries import end_sign_ins
from gateway.users import queries
from gateway.users.schemas import Account, AccountChanges, AccountId, AccountSelection
from gateway.web.auth import NOT_ADMIN, Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError, ForbiddenError
from gateway.web.inputs import Nothing
from gateway.web.lines import get, listing, patch
from gateway.web.paging import Page
from shared.postgres.pool import connect

OWN_LOCK = "You can't lock yourself out"
LEAVING = "This account is being deleted"
LAST = "This is the last administrator: make another user one first"


async def list_users(call: Call[Nothing, AccountSelection]) -> Page[Account]:
    """List all users by name, or those with a text in their names."""
    search = call.parameters.search
    return await call.read_page(
        lambda connection, part: queries.select_accounts(connection, search, part)
    )


async def read_user(call: Call[Nothing, AccountId]) -> Account:
    """Read one user."""
    id_ = call.parameters.user_id
    async with connect(call.database) as connection:
        account = await queries.select_account(connection, id_)
    if account is None:
        raise _unknown(id_)
    return account


async def read_own(call: Call[Nothing, Nothing]) -> Account:
    """Read who one is, and what one may do."""
    async with connect(call.database) as connection:
        account = await queries.select_account(connection, call.user_id)
    if account is None:
        raise _unknown(call.user_id)
    return account


async def update_user(call: Call[AccountChanges, AccountId]) -> Account:
    """Make a user an administrator or none, lock him out or let him in again.

    Whom it locks out is signed out everywhere within a second, and his sockets are closed.
    """
    id_, changes = call.parameters.user_id, call.body
    if changes.locked is True and id_ == call.user_id:
        raise BadRequestError(OWN_LOCK)
    async with acting(call) as connection:
        administrators = await queries.lock_administrators(connection)
        if call.user_id not in administrators:  # no more, since this call was let in
            raise ForbiddenError(NOT_ADMIN)
        if (changes.role == "user" or changes.locked is True) and administrators == {id_}:
            raise BadRequestError(LAST)
        ended = await end_sign_ins(connection, id_) if changes.locked is True else []
        account = await queries.update_account(connection, id_, changes)
    if account is None:
        raise _unknown(id_)
    if changes.locked is False and account.locked_at is not None:
        raise BadRequestError(LEAVING)
    call.state["revocations"].publish([id_, *ended])
    return account


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"User '{id_}' does not exist")


own_operations = [get("/api/me", read_own, Nothing, Account)]
operations = [
    listing(
        "/api/users", list_users, AccountSelection, list[Account], access=Access.ADMIN, fails=False
    ),
    get("/api/users/{user_id}", read_user, AccountId, Account, access=Access.ADMIN),
    patch(
        "/api/users/{user_id}",
        update_user,
        AccountChanges,
        AccountId,
        Account,
        access=Access.ADMIN,
    ),
]
