"""Who may sign in, as what, and where they are signed in; what ends is told to all gateways."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError, RefusedError
from gateway.admin.work.finding import find_any, find_user
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, select_listed
from gateway.admin.work.users import check_password, hash_password
from gateway.signins.queries import end_sign_in, end_sign_ins
from gateway.signins.revocations import Revocations
from shared.postgres.pool import columns

type Role = Literal["user", "admin"]


@frozen(slots=False)
class UserAccess:
    """What a user may do, and how many sign-ins have been ended for that."""

    id: UUID
    username: str
    role: str
    locked_at: datetime | None
    ended_sign_ins: int


@frozen(slots=False)
class ListedSignIn:
    """Where somebody is signed in."""

    id: UUID
    username: str
    method: str
    device: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@frozen(slots=False)
class EndedSignIns:
    """How many have been ended."""

    ended: int


async def give_role(on: Installation, user: str, role: Role) -> UserAccess:
    """Make a user an administrator, or none. Raises NotFoundError."""
    sql = """
        UPDATE users SET role = :role WHERE id = :id
        RETURNING id, username, role, locked_at, 0 AS ended_sign_ins
    """
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        access = await _update(connection, sql, {"id": user_id, "role": role})
    await tell_ended(on, [user_id])
    return access


async def lock(on: Installation, user: str) -> UserAccess:
    """Let a user sign in no more, and end what he has. Raises NotFoundError."""
    sql = """
        UPDATE users SET locked_at = coalesce(locked_at, now()) WHERE id = :id
        RETURNING id, username, role, locked_at, CAST(:ended AS int) AS ended_sign_ins
    """
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        ended = await end_sign_ins(connection, user_id)
        access = await _update(connection, sql, {"id": user_id, "ended": len(ended)})
    await tell_ended(on, [user_id, *ended])
    return access


async def unlock(on: Installation, user: str) -> UserAccess:
    """Let a user sign in again. Raises NotFoundError."""
    sql = """
        UPDATE users SET locked_at = NULL WHERE id = :id
        RETURNING id, username, role, locked_at, 0 AS ended_sign_ins
    """
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        access = await _update(connection, sql, {"id": user_id})
    if access.locked_at is not None:
        raise RefusedError(f"The account of {access.username} is being deleted.")
    await tell_ended(on, [user_id])
    return access


async def set_password(on: Installation, user: str, password: str) -> UserAccess:
    """Give a user another password, and end what he has. Raises NotFoundError, RefusedError."""
    sql = """
        UPDATE users SET password = :password_hash WHERE id = :id
        RETURNING id, username, role, locked_at, CAST(:ended AS int) AS ended_sign_ins
    """
    check_password(password)
    password_hash = await hash_password(password)
    async with on.acting() as connection:
        user_id = await find_user(connection, user)
        ended = await end_sign_ins(connection, user_id)
        values = {"id": user_id, "password_hash": password_hash, "ended": len(ended)}
        access = await _update(connection, sql, values)
    await tell_ended(on, ended)
    return access


async def select_sign_ins(
    connection: Connection, user: str | None, part: Part
) -> Listed[ListedSignIn]:
    """Those that go on, of a user or of all, the one that was used last first."""
    sql = """
        SELECT sign_ins.id, username, method, device, address, sign_ins.created_at, used_at,
               expires_at
        FROM sign_ins JOIN users ON users.id = user_id
        WHERE ended_at IS NULL AND expires_at > now()
          AND (CAST(:owner AS uuid) IS NULL OR user_id = :owner)
        ORDER BY used_at DESC, sign_ins.id LIMIT :limit OFFSET :offset
    """
    owner = await find_any(connection, user)
    return await select_listed(connection, ListedSignIn, sql, {"owner": owner}, part)


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


async def _update(connection: Connection, sql: str, values: dict[str, object]) -> UserAccess:
    row = await connection.fetch_one(sql, values)
    if row is None:
        raise NotFoundError(f"User {values['id']} was deleted meanwhile.")
    return UserAccess(**columns(row))
