"""API keys of all users. The keys themselves are stored nowhere."""

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError
from gateway.admin.work.access import tell_ended
from gateway.admin.work.finding import find_any
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, listed
from gateway.keys.queries import delete_key
from gateway.users import overseeing_queries
from gateway.users.overseeing import UserKey


@frozen(slots=False)
class RevokedKeys:
    """How many have been revoked."""

    revoked: int


async def select_keys(connection: Connection, user: str | None, part: Part) -> Listed[UserKey]:
    """Those of a user or of all, newest first. Raises NotFoundError."""
    owner = await find_any(connection, user)
    return listed(await overseeing_queries.select_keys(connection, owner, part.slice), part)


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
