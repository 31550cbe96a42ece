"""A2A agents in PostgreSQL."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

import attrs
from databases.core import Connection
from databases.interfaces import Record
from msgspec import UNSET, UnsetType

from gateway.a2a.interfaces import needs_newer
from gateway.a2a.schemas import A2AAgent
from gateway.a2a.security import find_lacking
from gateway.remote.credentials import Values
from gateway.remote.kinds import Due, Target
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told
from gateway.web.usable import listed
from shared.domain.headers import open_headers, seal_headers
from shared.postgres.rows import as_json
from shared.secrets import Vault

TABLE: Final = "a2acards"

AGENTS = Quota(
    "A2A agents",
    lambda settings: settings.a2a_agents_per_user,
    "SELECT count(*) FROM a2acards WHERE creator_id = :owner",
)


async def activate_agents(connection: Connection, target: Target) -> list[UUID]:
    """The ids of a target's agents, whoever owns them; their rows are locked."""
    sql = """
        UPDATE a2acards SET
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN is_active THEN updated_at ELSE now() END
        WHERE server_url = :url AND (id = :row OR CAST(:row AS uuid) IS NULL AND headers IS NULL)
        RETURNING id
    """
    rows = await connection.fetch_all(sql, {"url": target.url, "row": target.row})
    return [row["id"] for row in rows]


async def count_failure(
    connection: Connection, target: Target, most: int, pauses: Sequence[float]
) -> None:
    """Count a failed look-up of a target's agents; `most` in a row end their activity.

    The next one is due after a pause, in seconds: the first of them after one failure, the last
    after as many as there are pauses, or more.
    """
    sql = """
        UPDATE a2acards SET
            lookup_failures = failures,
            next_lookup_at = now() + make_interval(secs => pause),
            lookup_digest = NULL,
            is_active = is_active AND failures < :most,
            updated_at = CASE WHEN is_active AND failures >= :most THEN now() ELSE updated_at END
        FROM unnest(CAST(:pauses AS float8[])) WITH ORDINALITY AS paused (pause, failures)
        WHERE server_url = :url AND (id = :row OR CAST(:row AS uuid) IS NULL AND headers IS NULL)
          AND failures = least(lookup_failures + 1, cardinality(CAST(:pauses AS float8[])))
    """
    values = {"url": target.url, "row": target.row, "most": most, "pauses": list(pauses)}
    await connection.execute(sql, values)


async def select_due(connection: Connection) -> Iterator[Due]:
    """Every agent that is to be looked up again, with where its card was."""
    sql = """
        SELECT server_url, row, creator_id, card_url, CASE WHEN is_same THEN lookup_digest END
        FROM (
            SELECT *, bool_and(is_settled AND whole_lookup_at > now()) OVER target
                   AND min(lookup_digest) OVER target = max(lookup_digest) OVER target AS is_same
            FROM a2acards, LATERAL (SELECT
                CASE WHEN headers IS NOT NULL THEN id END AS row,
                is_active AND lookup_failures = 0 AND lookup_digest IS NOT NULL AS is_settled
            ) AS judged
            WINDOW target AS (PARTITION BY server_url, row)
        ) AS known
        WHERE (next_lookup_at IS NULL OR next_lookup_at <= now()) AND creator_id IS NOT NULL
    """
    rows = await connection.fetch_all(sql)
    return (
        Due(Target(url, row), owner, card_url, digest) for url, row, owner, card_url, digest in rows
    )


async def select_headers(connection: Connection, vault: Vault, id_: UUID) -> dict[str, str]:
    """What an agent is sent, whoever owns it. Raises UndecryptableError."""
    sql = "SELECT headers FROM a2acards WHERE id = :id"
    return open_headers(vault, TABLE, id_, await connection.fetch_val(sql, {"id": id_}))


async def select_headers_at(
    connection: Connection, vault: Vault, owner: UUID, addresses: list[str]
) -> tuple[str | None, dict[str, str]]:
    """The first of these addresses that the owner has an agent at, and what that is sent.

    Raises UndecryptableError.
    """
    sql = """
        SELECT id, server_url, headers FROM a2acards
        WHERE creator_id = :owner AND server_url = ANY(CAST(:addresses AS text[]))
        ORDER BY array_position(CAST(:addresses AS text[]), CAST(server_url AS text)) LIMIT 1
    """
    row = await connection.fetch_one(sql, {"owner": owner, "addresses": addresses})
    if row is None:
        return None, {}
    return row["server_url"], open_headers(vault, TABLE, row["id"], row["headers"])


async def update_headers(
    connection: Connection, vault: Vault, owner: UUID, id_: UUID, headers: Values
) -> None:
    """Store what one of the owner's agents is sent from now on."""
    sql = """
        UPDATE a2acards SET headers = CAST(:headers AS json), updated_at = now()
        WHERE creator_id = :owner AND id = :id
    """
    sealed = seal_headers(vault, TABLE, id_, headers)
    await connection.execute(sql, {"owner": owner, "id": id_, "headers": sealed})


async def select_agents(
    connection: Connection, owner: UUID, part: Slice, *, shared: bool = False
) -> Page[A2AAgent]:
    """The owner's A2A agents, or those that others share with him, newest first.

    What those of others are sent he is not told.
    """
    sql = f"""
        SELECT id, name, alias, description, server_url,
               CAST(card_content AS text) AS card_content,
               created_at, updated_at, is_active, creator_id, card_url,
               CAST(interfaces AS text) AS interfaces, CAST(left_out AS text) AS left_out,
               CASE WHEN creator_id = :owner THEN (
                   SELECT array_agg(name) FROM json_object_keys(headers) AS name
               ) END AS header_names,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS owner,
               CASE WHEN creator_id <> :owner THEN true END AS shared,
               CASE WHEN strpos(CAST(card_content AS text), '"security') > 0
                   THEN card_content END AS securing,
               coalesce(octet_length(description), 0)
                   + octet_length(CAST(card_content AS text))
                   + coalesce(octet_length(CAST(interfaces AS text)), 0)
                   + coalesce(octet_length(CAST(left_out AS text)), 0) AS bytes
        FROM {listed("cards", shared=shared)} AS cards
        WHERE (creator_id <> :owner) = CAST(:shared AS boolean)
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """  # noqa: S608 (one of two texts)
    values = {"owner": owner, "shared": shared}
    return await select_page(connection, sql, values, part, TOLD)


async def select_agent(
    connection: Connection, owner: UUID, id_: UUID, *, with_shared: bool = False
) -> A2AAgent | None:
    """One of the owner's A2A agents; or, to be read, of those that others share with him."""
    sql = """
        SELECT id, name, alias, description, server_url,
               CAST(card_content AS text) AS card_content,
               created_at, updated_at, is_active, creator_id, card_url,
               CAST(interfaces AS text) AS interfaces, CAST(left_out AS text) AS left_out,
               CASE WHEN creator_id = :owner THEN (
                   SELECT json_agg(name) FROM json_object_keys(headers) AS name
               ) END AS header_names,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS shared_by,
               card_content AS securing
        FROM usable_card(:owner, :id)
        WHERE creator_id = :owner OR CAST(:with_shared AS boolean)
    """
    values = {"owner": owner, "id": id_, "with_shared": with_shared}
    row = await connection.fetch_one(sql, values)
    return _make_agent(row) if row else None


_TOLD = ("card_content", "interfaces", "left_out")
_MAYBE = ("card_url", "interfaces", "left_out", "header_names")
_FOUND_OUT = {"newer_only", "lacking", "owner", "shared"}
_COLUMNS = [name for name in attrs.fields_dict(A2AAgent) if name not in _FOUND_OUT]


def _make_agent(row: Record) -> A2AAgent:
    found = {name: row[name] for name in _COLUMNS if name not in _MAYBE or row[name] is not None}
    told = {name: as_json(found[name]) for name in _TOLD if name in found}
    newer, shared_by = needs_newer(row["interfaces"]), row["shared_by"]
    if shared_by is not None:  # what it is sent, and what it lacks, is its owner's to know
        return A2AAgent(**{**found, **told}, newer_only=newer, owner=shared_by, shared=True)
    lacking = find_lacking(row["securing"] or {}, row["header_names"] or ())
    return A2AAgent(**{**found, **told}, newer_only=newer, lacking=lacking)


def _newer_only(row: Record) -> str | UnsetType:
    return needs_newer(row["interfaces"])


def _lacking(row: Record) -> str | UnsetType:
    """Nothing that an owner of others' is told."""
    if row["shared"] or row["securing"] is None:
        return UNSET
    return find_lacking(row["securing"], row["header_names"] or ())


TOLD = Told(
    A2AAgent,
    ("interfaces", "shared", "securing", "header_names"),
    newer_only=_newer_only,
    lacking=_lacking,
)


async def delete_agent(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Delete one of the owner's A2A agents; whether there was one."""
    sql = "DELETE FROM a2acards WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_val(sql, {"owner": owner, "id": id_}) is not None
