"""How many things of a kind a user may have, however many calls want to add one at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen
from databases.core import Connection

from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from shared.postgres.pool import transaction
from shared.settings.gateway import GatewaySettings


@frozen
class Quota:
    """A kind of thing, how many of them each user may have (0: any number), and their count."""

    things: str
    most: Callable[[GatewaySettings], int]
    count: str
    """The statement that counts those of `:owner`."""


@asynccontextmanager
async def within(
    quota: Quota, call: Call[Any, Any], connection: Connection, *, adds_many: bool = False
) -> AsyncIterator[None]:
    """A transaction in which no other call adds things to the caller's.

    Raises BadRequestError where there are more at its end than before and than there may be;
    nothing is stored then. Not 403: the front-end would log its user out. What is there already
    may be refreshed, also where an operator has lowered the number.
    """
    most = quota.most(call.state["settings"])
    async with transaction(connection):
        if not most:
            yield
            return
        await _lock(connection, call)
        had = await _count(connection, quota, call)
        yield
        if not adds_many and had < most:
            return
        if await _count(connection, quota, call) > max(had, most):
            sentence = f"You have {had:,} {quota.things} and may have {most:,}: delete one first"
            raise BadRequestError(sentence, f"a quota is reached: {quota.things}")


async def _lock(connection: Connection, call: Call[Any, Any]) -> None:
    """Wait for the others. Rows that refer to the user may be added meanwhile: chats go on."""
    sql = "SELECT id FROM users WHERE id = :owner FOR NO KEY UPDATE"
    await connection.execute(sql, {"owner": call.user_id})


async def _count(connection: Connection, quota: Quota, call: Call[Any, Any]) -> int:
    return int(await connection.fetch_val(quota.count, {"owner": call.user_id}))
