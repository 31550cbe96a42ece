"""A2A agents in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import attrs
from databases.core import Connection
from databases.interfaces import Record

from gateway.a2a.interfaces import needs_newer
from gateway.a2a.schemas import A2AAgent
from gateway.remote.credentials import NO_HEADERS, Values
from gateway.remote.kinds import Due, Target
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from shared.postgres.rows import as_json
from shared.secrets import Vault

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
        WHERE server_url = :url
        RETURNING id
    """
    return [row["id"] for row in await connection.fetch_all(sql, {"url": target.url})]


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
            is_active = is_active AND failures < :most,
            updated_at = CASE WHEN is_active AND failures >= :most THEN now() ELSE updated_at END
        FROM unnest(CAST(:pauses AS float8[])) WITH ORDINALITY AS paused (pause, failures)
        WHERE server_url = :url
          AND failures = least(lookup_failures + 1, cardinality(CAST(:pauses AS float8[])))
    """
    values = {"url": target.url, "most": most, "pauses": list(pauses)}
    await connection.execute(sql, values)


async def select_due(connection: Connection) -> list[Due]:
    """Every agent that is to be looked up again, with where its card was."""
    sql = """
        SELECT server_url, creator_id, card_url FROM a2acards
        WHERE (next_lookup_at IS NULL OR next_lookup_at <= now()) AND creator_id IS NOT NULL
    """
    return [
        Due(Target(url), owner, card_url)
        for url, owner, card_url in await connection.fetch_all(sql)
    ]


async def select_headers(_connection: Connection, _vault: Vault, _id: UUID) -> Values:
    """What an agent is sent."""
    return NO_HEADERS


async def select_agents(connection: Connection, owner: UUID, part: Slice) -> Page[A2AAgent]:
    """The owner's A2A agents, newest first."""
    sql = """
        SELECT id, name, alias, description, server_url,
               CAST(card_content AS text) AS card_content,
               created_at, updated_at, is_active, creator_id, card_url,
               CAST(interfaces AS text) AS interfaces, CAST(left_out AS text) AS left_out,
               coalesce(octet_length(description), 0)
                   + octet_length(CAST(card_content AS text))
                   + coalesce(octet_length(CAST(interfaces AS text)), 0)
                   + coalesce(octet_length(CAST(left_out AS text)), 0) AS bytes
        FROM a2acards WHERE creator_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, _make_agent)


async def select_agent(connection: Connection, owner: UUID, id_: UUID) -> A2AAgent | None:
    """One of the owner's A2A agents."""
    sql = """
        SELECT id, name, alias, description, server_url,
               CAST(card_content AS text) AS card_content,
               created_at, updated_at, is_active, creator_id, card_url,
               CAST(interfaces AS text) AS interfaces, CAST(left_out AS text) AS left_out
        FROM a2acards WHERE creator_id = :owner AND id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return _make_agent(row) if row else None


_TOLD = ("card_content", "interfaces", "left_out")
_MAYBE = ("card_url", "interfaces", "left_out")
_COLUMNS = [name for name in attrs.fields_dict(A2AAgent) if name != "newer_only"]


def _make_agent(row: Record) -> A2AAgent:
    found = {name: row[name] for name in _COLUMNS if name not in _MAYBE or row[name] is not None}
    told = {name: as_json(found[name]) for name in _TOLD if name in found}
    newer = needs_newer(row["interfaces"])
    return A2AAgent(**{**found, **told}, newer_only=newer)


async def delete_agent(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Delete one of the owner's A2A agents; whether there was one."""
    sql = "DELETE FROM a2acards WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_val(sql, {"owner": owner, "id": id_}) is not None
