"""The entries in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import asdict, frozen
from databases.core import Connection

from gateway.audit.schemas import Entry
from gateway.web.paging import Page, Slice, select_page
from shared.postgres.rows import builder
from shared.postgres.sweeping import Delete

_build_entry = builder(Entry)


@frozen
class NewEntry:
    """One to be added; its time is that of PostgreSQL."""

    action: str
    via: str
    actor_id: UUID | None
    credential_id: UUID | None
    address: str
    object_id: UUID | None
    owner_id: UUID | None
    details: dict[str, Any]


@frozen
class Wanted:
    """Which entries to read; None: whatever it is."""

    user_id: UUID | None = None
    """Who did it, or whose it was done to."""
    object_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Before that."""


async def set_actor(connection: Connection, said: str) -> None:
    """Have triggers know who acts, until the transaction ends."""
    await connection.execute("SELECT set_config('genai.actor', :said, true)", {"said": said})


async def insert_entry(connection: Connection, new: NewEntry) -> None:
    """Add one."""
    sql = """
        INSERT INTO audit
            (action, via, actor_id, credential_id, address, object_id, owner_id, details)
        VALUES
            (:action, :via, :actor_id, :credential_id, :address, :object_id, :owner_id, :details)
    """
    await connection.execute(sql, asdict(new, recurse=False))


async def select_entries(connection: Connection, wanted: Wanted, part: Slice) -> Page[Entry]:
    """Entries, the newest first. Whoever asks has to be an administrator."""
    if wanted.user_id is not None:
        sql = _OF_USER
    elif wanted.object_id is not None:
        sql = _OF_OBJECT
    else:
        sql = _ALL if wanted.action is None else _OF_ACTION
    return await select_page(connection, sql, asdict(wanted), part, _build_entry)


def _statement(source: str) -> str:
    """Of entries that an index finds; of these, those that all other filters let pass."""
    return f"""
        SELECT audit.id, at, action, via, actor_id, actor.username AS actor, credential_id,
               address, object_id, owner_id, owner.username AS owner, details,
               600 + octet_length(CAST(details AS text)) AS bytes
        FROM ({source}) AS audit
        LEFT JOIN users AS actor ON actor.id = actor_id
        LEFT JOIN users AS owner ON owner.id = owner_id
        WHERE (CAST(:object_id AS uuid) IS NULL OR object_id = :object_id)
          AND (CAST(:action AS text) IS NULL OR action = :action)
          AND at >= coalesce(CAST(:since AS timestamptz), '-infinity')
          AND at < coalesce(CAST(:until AS timestamptz), 'infinity')
        ORDER BY at DESC, audit.id DESC LIMIT :limit OFFSET :offset
    """  # noqa: S608 (sources of ours)


_ALL = _statement("SELECT * FROM audit")
_OF_ACTION = _statement("SELECT * FROM audit WHERE action = :action")
_OF_OBJECT = _statement("SELECT * FROM audit WHERE object_id = :object_id")
_OF_USER = _statement("""
    SELECT * FROM audit WHERE actor_id = :user_id
    UNION ALL
    SELECT * FROM audit WHERE owner_id = :user_id AND actor_id IS DISTINCT FROM :user_id
""")


def pruning(days: int) -> Delete:
    """What deletes entries that are older than so many days; 0 keeps everything."""

    async def prune(connection: Connection, most: int) -> int:
        sql = "SELECT prune_audit(:days, :most)"
        return int(await connection.fetch_val(sql, {"days": days, "most": most})) if days else 0

    return prune
