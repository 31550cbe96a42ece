"""How many bytes a user's files may have together."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.files.queries import select_bytes
from gateway.web.call import Call
from gateway.web.errors import TooLargeError
from gateway.web.inputs import Nothing
from shared.codec.sizes import in_units
from shared.postgres.pool import connect


class OverQuotaError(TooLargeError):
    """The user's files would have more bytes together than they may."""


@frozen
class Allowance:
    """How many bytes a file may have, and what is raised for one with more."""

    most: int
    error: TooLargeError


async def find_allowance(call: Call[Nothing, Nothing]) -> Allowance:
    """What a file may have that begins to come: less than any, where the quota leaves less."""
    settings = call.state["settings"]
    most = settings.max_file_bytes
    sentence = f"The file must not be larger than {in_units(most)}"
    if quota := settings.files_bytes_per_user:
        async with connect(call.database) as connection:
            used = await select_bytes(connection, call.user_id)
        if (room := max(quota - used, 0)) < most:
            return Allowance(room, _refuse(quota, used))
    return Allowance(most, TooLargeError(sentence))


async def check_quota(connection: Connection, owner: UUID, quota: int, size: int) -> None:
    """Raise OverQuotaError where the file of this size, which was just stored, is too much.

    In the transaction that stored it: until its end no other file of the owner is counted. A
    quota of 0 bytes is none.
    """
    if quota and (used := await select_bytes(connection, owner)) > quota:
        raise _refuse(quota, used - size)


def _refuse(quota: int, used: int) -> OverQuotaError:
    return OverQuotaError(
        f"Your files may have {in_units(quota)} together, and have {in_units(used)} already:"
        " this one would be too much, please delete others first"
    )
