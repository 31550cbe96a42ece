"""API keys of all users. The keys themselves are stored nowhere."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError
from gateway.admin.work.access import tell_ended
from gateway.admin.work.finding import find_any
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, select_listed
from gateway.keys.queries import delete_key


@frozen(slots=False)
class ListedKey:
    """A key among others: how it begins, and what it is for."""

    id: UUID
    username: str
    name: str
    start: str
    scopes: list[str]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    used_address: str | None


@frozen(slots=False)
class RevokedKeys:
    """How many have been revoked."""

    revoked: int


async def select_keys(connection: Connection, user: str | None, part: Part) -> Listed[ListedKey]:
    """Those of a user or of all, newest first. Raises NotFoundError."""
    sql = """
        SELECT api_keys.id, username, name, start, scopes, networks, api_keys.created_at,
               expires_at, used_at, used_address
        FROM api_keys JOIN users ON users.id = user_id
        WHERE CAST(:owner AS uuid) IS NULL OR user_id = :owner
        ORDER BY api_keys.created_at DESC, api_keys.id LIMIT :limit OFFSET :offset
    """
    owner = await find_any(connection, user)
    return await select_listed(connection, ListedKey, sql, {"owner": owner}, part)


async def revoke_keys(on: Installation, ids: Sequence[UUID]) -> RevokedKeys:
    """End these; raises NotFoundError, and ends none, where one does not exist."""
    async with on.acting() as connection:
        owners = {id_: await _select_owner(connection, id_) for id_ in ids}
        ended = [id_ for id_, owner in owners.items() if await delete_key(connection, owner, id_)]
    await tell_ended(on, ended)
    return RevokedKeys(len(ended))


async def _select_owner(connection: Connection, id_: UUID) -> UUID:
    sql = "SELECT user_id FROM api_keys WHERE id = :id"
    owner: UUID | None = await connection.fetch_val(sql, {"id": id_})
    if owner is None:
        raise NotFoundError(f"There is no API key {id_}.")
    return owner
