"""Users, whoever they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import attrs
from attrs import field, frozen
from databases.core import Connection

from gateway.accounts import queries
from gateway.accounts.guessable import find_guessable
from gateway.accounts.names import clean
from gateway.accounts.passwords import BreachedError, Passwords
from gateway.accounts.schemas import NewUser, Password, User, find_weakness
from gateway.admin.faults import NotFoundError, RefusedError
from gateway.admin.work.finding import find_user
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, select_listed
from gateway.admin.work.quotas import QUOTAS, count_of
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import columns


@frozen(slots=False)
class ListedUser:
    """A user among others."""

    id: UUID
    username: str
    role: str
    locked_at: datetime | None
    created_at: datetime
    open_requests: int
    active_agents: int


@frozen(slots=False)
class UserDetails:
    """A user with what he has; of his chats, how many there are and when one changed last."""

    id: UUID
    username: str
    first_name: str | None
    last_name: str | None
    role: str
    locked_at: datetime | None
    created_at: datetime
    chats: int
    last_chat_at: datetime | None
    has: dict[str, int]


@frozen
class Filter:
    """Which users to list."""

    name: str | None = None
    """What their names have in them."""
    admins: bool = field(default=False, kw_only=True)
    locked: bool = field(default=False, kw_only=True)


async def select_users(connection: Connection, wanted: Filter, part: Part) -> Listed[ListedUser]:
    """Users, newest first."""
    sql = """
        SELECT id, username, role, locked_at, created_at,
               (SELECT count(*) FROM requests
                WHERE creator_id = users.id AND status IN ('queued', 'running')) AS open_requests,
               (SELECT count(*) FROM agents
                WHERE creator_id = users.id AND is_active) AS active_agents
        FROM users
        WHERE (CAST(:name AS text) IS NULL OR position(lower(:name) IN lower(username)) > 0)
          AND (role = 'admin' OR NOT CAST(:admins AS boolean))
          AND (locked_at IS NOT NULL OR NOT CAST(:locked AS boolean))
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    values = attrs.asdict(wanted)
    return await select_listed(connection, ListedUser, sql, values, part)


async def select_user(connection: Connection, named: str) -> UserDetails:
    """A user in full. Raises NotFoundError."""
    user_id = await find_user(connection, named)
    sql = """
        SELECT users.id, username, first_name, last_name, role, locked_at,
               users.created_at,
               (SELECT count(*) FROM chatconversations WHERE creator_id = users.id) AS chats,
               (SELECT max(updated_at) FROM chatconversations
                WHERE creator_id = users.id) AS last_chat_at
        FROM users LEFT JOIN userprofiles AS profile ON profile.user_id = users.id
        WHERE users.id = :id
    """
    row = await connection.fetch_one(sql, {"id": user_id})
    if row is None:
        raise NotFoundError(f"User {user_id} was deleted meanwhile.")
    has = {quota.things: await count_of(connection, quota, user_id) for quota in QUOTAS}
    return UserDetails(**columns(row), has=has)


@frozen
class NewPassword:
    """What a user is to sign in with."""

    password: Password


def check_new_user(on: Installation, username: str, password: str) -> NewUser:
    """Somebody who may be added, as at a registration. Raises RefusedError."""
    new = _structure({"username": username, "password": password}, NewUser)
    check_password(on, new.username, password)
    return new


def check_password(on: Installation, username: str, password: str) -> None:
    """Raises RefusedError for one that this user may not have."""
    _structure({"password": password}, NewPassword)
    objection = find_weakness(password) or find_guessable(password, username, on.settings)
    if objection:
        raise RefusedError(objection)


def _structure[T](data: object, into: type[T]) -> T:
    try:
        return structure(data, into)
    except InvalidInputError as error:
        raise RefusedError("; ".join(fault.msg for fault in error.faults)) from None


async def add_user(connection: Connection, new: NewUser, password_hash: str) -> User:
    """Store a checked user. Raises RefusedError where the name is taken."""
    name = clean(new.username)
    user = await queries.insert_user(connection, name, password_hash)
    if user is None:
        raise RefusedError(f"User '{name}' already exists")
    return user


async def create_user(on: Installation, username: str, password: str) -> User:
    """Add a user. Raises RefusedError."""
    new = check_new_user(on, username, password)
    password_hash = await hash_password(on, password)
    async with on.acting() as connection:
        return await add_user(connection, new, password_hash)


async def hash_password(on: Installation, password: str) -> str:
    """What is stored of a checked one. Raises RefusedError: it is known from breaches."""
    with hashing(on) as passwords:
        return await hash_new(passwords, password)


@contextmanager
def hashing(on: Installation) -> Iterator[Passwords]:
    """What hashes passwords until the block ends."""
    passwords = Passwords(allows_breached=on.settings.allow_breached_passwords)
    try:
        yield passwords
    finally:
        passwords.close()


async def hash_new(passwords: Passwords, password: str) -> str:
    """The same where there is more than one."""
    try:
        return await passwords.hash_new(password)
    except BreachedError as error:
        raise RefusedError(str(error)) from None
