"""Users in PostgreSQL, for administrators: whoever they are."""

from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record
from msgspec import UNSET

from gateway.users.schemas import Account, AccountChanges
from gateway.web.paging import Page, Slice, select_page
from shared.postgres.rows import builder


async def select_accounts(connection: Connection, search: str | None, part: Slice) -> Page[Account]:
    """Users by name, with this in it."""
    sql = """
        SELECT id, username, role, locked_at, created_at, updated_at, 512 AS bytes
        FROM users
        WHERE CAST(:search AS text) IS NULL OR position(lower(:search) IN lower(username)) > 0
        ORDER BY username LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"search": search}, part, _account)


async def select_account(connection: Connection, id_: UUID) -> Account | None:
    """One user."""
    sql = """
        SELECT id, username, role, locked_at, created_at, updated_at
        FROM users WHERE id = :id
    """
    row = await connection.fetch_one(sql, {"id": id_})
    return _account(row) if row else None


async def lock_administrators(connection: Connection) -> set[UUID]:
    """Those who may sign in. They stay so until the transaction ends, and all others wait."""
    sql = """
        SELECT id FROM users WHERE role = 'admin' AND locked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE
    """
    return {row["id"] for row in await connection.fetch_all(sql)}


async def update_account(
    connection: Connection, id_: UUID, changes: AccountChanges
) -> Account | None:
    """The user after the changes. What follows from them for his tokens triggers note."""
    sql = """
        UPDATE users SET
            role = coalesce(CAST(:role AS text), role),
            locked_at = CASE WHEN CAST(:locked AS boolean) IS NULL THEN locked_at
                             WHEN :locked THEN coalesce(locked_at, now()) END,
            updated_at = now()
        WHERE id = :id
        RETURNING id, username, role, locked_at, created_at, updated_at
    """
    values = {
        "id": id_,
        "role": None if changes.role is UNSET else changes.role,
        "locked": None if changes.locked is UNSET else changes.locked,
    }
    row = await connection.fetch_one(sql, values)
    return _account(row) if row else None


_build = builder(Account)


def _account(row: Record) -> Account:
    return _build(row)
