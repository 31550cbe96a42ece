"""Leases: what one process of all does, each until a time that only PostgreSQL's clock decides.

A row and no lock: it needs no session, so a pooler may stand before PostgreSQL. Its holder takes
it anew in time; who finds it out of time takes it over. A holder that has a session of its own may
say so: then the lease ends with that, if it does not end before.
"""

from datetime import timedelta
from uuid import UUID, uuid4

from attrs import field, frozen
from databases.core import Connection

ANOTHER = "another process has it"


@frozen
class Lease:
    """One process's claim to a lease: the same for all but the holder."""

    name: str
    seconds: float
    """How long it is good for; a stored time that is further away is no good."""
    older_lock: int
    """The advisory lock by which versions without leases agree; who has it goes before all."""
    holder: UUID = field(factory=uuid4)


async def take_lease(
    connection: Connection, lease: Lease, session: int | None = None
) -> str | None:
    """Take it, or take it anew: None if it is this holder's from now on, else why it is not.

    `session` is PostgreSQL's number of the one that it is to end with.
    A time further away than anybody sets it is from before PostgreSQL's clock was set back.
    """
    sql = """
        WITH older AS (
            SELECT pid FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND CAST(classid AS bigint) = CAST(:lock AS bigint) >> 32
              AND CAST(objid AS bigint) = CAST(:lock AS bigint) & 4294967295
        ), others AS (
            SELECT FROM leases WHERE name = :name AND holder <> :holder AND expires_at
                BETWEEN clock_timestamp() AND clock_timestamp() + CAST(:time AS interval)
                AND (session IS NULL OR session IN (SELECT pid FROM pg_stat_activity))
        ), taken AS (
            INSERT INTO leases AS lease (name, holder, session, expires_at)
            SELECT :name, :holder, :session, clock_timestamp() + CAST(:time AS interval)
            WHERE NOT EXISTS (SELECT FROM older) AND NOT EXISTS (SELECT FROM others)
            ON CONFLICT (name) DO UPDATE
                SET holder = :holder, session = :session,
                    expires_at = clock_timestamp() + CAST(:time AS interval)
                WHERE lease.holder = :holder OR lease.expires_at NOT
                    BETWEEN clock_timestamp() AND clock_timestamp() + CAST(:time AS interval)
                    OR lease.session NOT IN (
                        SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL
                    )
            RETURNING true
        )
        SELECT EXISTS (SELECT FROM taken) AS is_taken, (SELECT pid FROM older) AS older
    """
    values = {
        "lock": lease.older_lock,
        "name": lease.name,
        "holder": lease.holder,
        "session": session,
        "time": timedelta(seconds=lease.seconds),
    }
    found = await connection.fetch_one(sql, values)
    assert found is not None, "it has no FROM"
    if found["is_taken"]:
        return None
    if (pid := found["older"]) is not None:
        return f"an older version has it: PostgreSQL's session {pid} holds its lock"
    return ANOTHER


async def give_lease_back(connection: Connection, lease: Lease) -> None:
    """Let another process take it at once."""
    sql = "DELETE FROM leases WHERE name = :name AND holder = :holder"
    await connection.execute(sql, {"name": lease.name, "holder": lease.holder})
