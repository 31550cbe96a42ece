"""Who is meant by what an operator types."""

from uuid import UUID

from databases.core import Connection

from gateway.accounts.queries import select_named
from gateway.admin.faults import NotFoundError


async def find_user(connection: Connection, named: str) -> UUID:
    """Who has this id or this name, or alone one that looks so. Raises NotFoundError."""
    if (id_ := read_id(named)) is not None:
        sql = "SELECT id FROM users WHERE id = :id"
        found: UUID | None = await connection.fetch_val(sql, {"id": id_})
    else:
        [meant] = await select_named(connection, [named])
        found = meant.credentials.id if meant.credentials else None
    if found is None:
        raise NotFoundError(f"There is no user {named!r}.")
    return found


async def find_any(connection: Connection, named: str | None) -> UUID | None:
    """The same where somebody is named."""
    return None if named is None else await find_user(connection, named)


def read_id(text: str) -> UUID | None:
    """An id, if the text is one."""
    try:
        return UUID(text)
    except ValueError:
        return None
