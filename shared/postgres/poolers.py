"""What stands between this process and PostgreSQL: nothing, or a pooler that shares its sessions.

A pooler in transaction mode gives each transaction any server's session: what one leaves behind in
it (prepared statements, settings, locks) is another's. So behind one nothing is left behind.
"""

from secrets import token_hex
from typing import TYPE_CHECKING, Any

import asyncpg
from attrs import frozen

from shared.postgres.audited import AUDITED, log_entry

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[Any]
else:
    _Connection = asyncpg.Connection

LOOKS = 8  # at the sessions that two connections get; in vain only if each has its own
LOCK_SECONDS = 3  # that a statement waits for another one's lock
COMMAND_SECONDS = 15.0
ZONE = "UTC"

STATEMENT_MODE = (
    "a pooler in statement mode stands before PostgreSQL, which lets no transaction begin: please"
    " set `pool_mode = transaction` in its configuration"
)
OTHER_ZONE = (
    "the pooler before PostgreSQL does not pass on which time zone is wanted: please set it there,"
    " with `ALTER ROLE {role} SET timezone = 'UTC'`"
)
UNLIMITED = (
    "the pooler before PostgreSQL passes on no limits, so a statement may wait for a lock as long"
    f" as for all else, {COMMAND_SECONDS:.0f} seconds: please set one there, with"
    f" `ALTER ROLE {{role}} SET lock_timeout = '{LOCK_SECONDS}s'`"
)


class PoolerError(Exception):
    """What stands before PostgreSQL can't be used; the text says what to set there."""


class ServerConnection(_Connection):
    """asyncpg's own, for a session of its own as well as for a pooler's.

    In a session of its own statements are prepared once. Behind a pooler each is parsed in the
    very message that runs it: prepared before, another process's might be run instead.
    """

    is_pooled = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unique = token_hex(8)
        self._stmt_cache_enabled = False  # until it is known that the session is its own

    def _get_unique_id(self, prefix: str) -> str:
        """A name that no other process has: should it get there after all, that is an error."""
        return f"{super()._get_unique_id(prefix)}_{self._unique}"  # type: ignore[misc]

    async def _introspect_types(self, typeoids: Any, timeout: Any) -> Any:  # noqa: ASYNC109
        """It turns a setting off and on again: in the same session only within a transaction."""
        look_up = super()._introspect_types  # type: ignore[misc]
        if not self.is_pooled or self.is_in_transaction():
            return await look_up(typeoids, timeout)
        async with self.transaction():
            return await look_up(typeoids, timeout)

    def _process_log_message(self, fields: dict[str, str], last_query: str) -> None:
        """Log what it has added to the audit log. A pool lets no listener stay on."""
        if fields.get("C") == AUDITED:
            log_entry(fields["M"])

    async def find_pooler(self) -> None:
        """Find out whether there is one: it tells us of sessions that only it knows."""
        pid = await self.fetchval("SELECT pg_backend_pid()")
        self.is_pooled = pid != self.get_server_pid()
        self._stmt_cache_enabled = not self.is_pooled


@frozen
class Front:
    """What stands before PostgreSQL."""

    mode: str | None
    """The mode of a pooler; None: there is none."""
    has_limits: bool
    """Whether PostgreSQL itself ends what waits too long for a lock."""


DIRECT = Front(None, has_limits=True)


async def find_front(one: ServerConnection, other: ServerConnection) -> Front:
    """Look by two connections to a pooler that do nothing else meanwhile. Raises PoolerError."""
    try:
        async with one.transaction():
            found = await one.fetchrow(
                "SELECT current_setting('TimeZone') AS zone, current_user AS role,"
                " current_setting('lock_timeout') <> '0' AS has_limits"
            )
    except (asyncpg.ProtocolViolationError, asyncpg.ConnectionDoesNotExistError) as error:
        if "statement pooling mode" in str(error):
            raise PoolerError(STATEMENT_MODE) from error
        raise
    assert found is not None, "it has no FROM"
    if found["zone"] != ZONE:
        raise PoolerError(OTHER_ZONE.format(role=found["role"]))
    mode = "transaction" if await _share_sessions(one, other) else "session"
    return Front(mode, has_limits=found["has_limits"])


async def _share_sessions(one: ServerConnection, other: ServerConnection) -> bool:
    """Whether one gets several, or the one that the other gets."""
    seen: tuple[set[int], set[int]] = set(), set()
    for _ in range(LOOKS):
        for connection, pids in zip((one, other), seen, strict=True):
            pids.add(await connection.fetchval("SELECT pg_backend_pid()"))
        if seen[0] & seen[1] or max(map(len, seen)) > 1:
            return True
    return False
