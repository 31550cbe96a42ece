"""Who may sign in, as what, and where they are signed in; what ends is told to all gateways."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.accounts.changes import ResetLink
from gateway.accounts.links import create_link
from gateway.accounts.one_time import delete_resets
from gateway.accounts.queries import select_own, update_changed
from gateway.admin.faults import NotFoundError, RefusedError
from gateway.admin.work.finding import find_any, find_user
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, listed
from gateway.admin.work.users import check_password, hash_password
from gateway.signins.queries import end_sign_in, end_sign_ins
from gateway.signins.revocations import Revocations
from gateway.users import overseeing_queries
from gateway.users.overseeing import UserSignIn
from gateway.users.queries import select_account, update_account
from gateway.users.schemas import Account, AccountChanges


@frozen(slots=False)
class UserAccess:
    """What a user may do, and how many sign-ins have been ended for that."""

    id: UUID
    username: str
    role: str
    locked_at: datetime | None
    ended_sign_ins: int


@frozen(slots=False)
class EndedSignIns:
    """How many have been ended."""

    ended: int


async def change_account(on: Installation, user: str, changes: AccountChanges) -> UserAccess:
    """Make a user an administrator or none, lock him out or let him in. Raises NotFoundError."""
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        ended = await end_sign_ins(connection, user_id) if changes.locked is True else []
        account = await update_account(connection, user_id, changes)
    if changes.locked is False and account is not None and account.locked_at is not None:
        raise RefusedError(f"The account of {account.username} is being deleted.")
    await tell_ended(on, [user_id, *ended])
    return _access(user, account, ended)


async def set_password(on: Installation, user: str, password: str) -> UserAccess:
    """Give a user another password, and end what he has. Raises NotFoundError, RefusedError."""
    check_password(on, user, password)
    password_hash = await hash_password(on, password)
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        own = await select_own(connection, user_id)
        if own is None or not await update_changed(connection, own, password_hash):
            raise RefusedError(f"The password of {user!r} was changed meanwhile.")
        await delete_resets(connection, user_id)
        ended = await end_sign_ins(connection, user_id)
        account = await select_account(connection, user_id)
    await tell_ended(on, ended)
    return _access(user, account, ended)


def _access(user: str, account: Account | None, ended: Sequence[UUID]) -> UserAccess:
    if account is None:
        raise NotFoundError(f"User {user!r} was deleted meanwhile.")
    named = account.id, account.username, account.role, account.locked_at
    return UserAccess(*named, len(ended))


async def make_reset_link(on: Installation, user: str) -> ResetLink:
    """What a user sets another password with, once. Raises NotFoundError, RefusedError."""
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        made = await create_link(connection, on.settings, user_id)
    if made is None:
        raise RefusedError(f"User {user!r} is locked: unlock him first.")
    return made


async def select_sign_ins(
    connection: Connection, user: str | None, part: Part
) -> Listed[UserSignIn]:
    """Those that go on, of a user or of all. Raises NotFoundError."""
    owner = await find_any(connection, user)
    return listed(await overseeing_queries.select_sign_ins(connection, owner, part.slice), part)


async def end_all(on: Installation, user: str) -> EndedSignIns:
    """End all of a user's. Raises NotFoundError."""
    async with on.acting() as connection:
        ended = await end_sign_ins(connection, await find_user(connection, user))
    await tell_ended(on, ended)
    return EndedSignIns(len(ended))


async def end_some(on: Installation, ids: Sequence[UUID]) -> EndedSignIns:
    """End these; raises NotFoundError, and ends none, where one does not exist."""
    async with on.acting() as connection:
        owners = {id_: await _select_owner(connection, id_) for id_ in ids}
        ended = [id_ for id_, owner in owners.items() if await end_sign_in(connection, owner, id_)]
    await tell_ended(on, ended)
    return EndedSignIns(len(ended))


async def tell_ended(on: Installation, ids: Iterable[UUID]) -> None:
    """Tell all gateways what has ended or changed; what gets lost they find within seconds."""
    async with on.notifications() as notifications:
        Revocations(on.database, notifications).publish(ids)


async def _select_owner(connection: Connection, sign_in_id: UUID) -> UUID:
    sql = "SELECT user_id FROM sign_ins WHERE id = :id"
    owner: UUID | None = await connection.fetch_val(sql, {"id": sign_in_id})
    if owner is None:
        raise NotFoundError(f"There is no sign-in {sign_in_id}.")
    return owner
