"""A2A agents in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from databases.core import Connection

from gateway.a2a.lookup import FoundCard
from gateway.a2a.schemas import A2AAgent, LookedUpA2AAgent
from gateway.remote.kinds import Place
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from shared.domain.agents import make_alias
from shared.postgres.pool import columns
from shared.postgres.rows import builder

AGENTS = Quota(
    "A2A agents",
    lambda settings: settings.a2a_agents_per_user,
    "SELECT count(*) FROM a2acards WHERE creator_id = :owner",
)


async def upsert_agent(
    connection: Connection, owner: UUID, url: str, card: FoundCard
) -> LookedUpA2AAgent:
    """The owner's agent at this URL, active and with this card; the alias stays with the name."""
    sql = """
        INSERT INTO a2acards AS old
            (id, name, alias, description, server_url, card_content, is_active, creator_id)
        VALUES (:id, :name, :alias, :description, :url, :content, true, :owner)
        ON CONFLICT (creator_id, server_url) DO UPDATE SET
            name = excluded.name,
            alias = CASE WHEN old.name = excluded.name THEN old.alias ELSE excluded.alias END,
            description = excluded.description,
            card_content = excluded.card_content,
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN old.is_active
                AND (old.name, old.description, CAST(old.card_content AS jsonb))
                    IS NOT DISTINCT FROM
                    (excluded.name, excluded.description, CAST(excluded.card_content AS jsonb))
                THEN old.updated_at ELSE now() END
        RETURNING id, name, alias, description, server_url, card_content, created_at, updated_at
    """
    values = {
        "id": uuid4(),
        "name": card.name,
        "alias": make_alias(card.name),
        "description": card.description,
        "url": url,
        "content": card.content,
        "owner": owner,
    }
    row = await connection.fetch_one(sql, values)
    assert row is not None
    return LookedUpA2AAgent(**columns(row))


async def activate_agents(connection: Connection, place: Place) -> list[UUID]:
    """The ids of all agents at this place, whoever owns them; their rows are locked."""
    sql = """
        UPDATE a2acards SET
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN is_active THEN updated_at ELSE now() END
        WHERE server_url = :url
        RETURNING id
    """
    return [row["id"] for row in await connection.fetch_all(sql, {"url": place.url})]


async def count_failure(
    connection: Connection, place: Place, most: int, pauses: Sequence[float]
) -> None:
    """Count a failed look-up of all agents at this place; `most` in a row end their activity.

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
    values = {"url": place.url, "most": most, "pauses": list(pauses)}
    await connection.execute(sql, values)


async def update_cards(connection: Connection, ids: list[UUID], card: FoundCard) -> None:
    """Give locked agents this card; the alias stays with the name."""
    sql = """
        UPDATE a2acards SET
            name = :name,
            alias = CASE WHEN name = :name THEN alias ELSE :alias END,
            description = :description,
            card_content = CAST(:content AS json),
            updated_at = now()
        WHERE id = ANY(:ids)
          AND (name, description, CAST(card_content AS jsonb)) IS DISTINCT FROM
              (:name, :description, CAST(CAST(:content AS json) AS jsonb))
    """
    values = {
        "name": card.name,
        "alias": make_alias(card.name),
        "description": card.description,
        "content": card.content,
        "ids": ids,
    }
    await connection.execute(sql, values)


async def select_due(connection: Connection) -> list[tuple[Place, UUID]]:
    """The place and the owner of every agent that is to be looked up again."""
    sql = """
        SELECT server_url, creator_id FROM a2acards
        WHERE (next_lookup_at IS NULL OR next_lookup_at <= now()) AND creator_id IS NOT NULL
    """
    rows = await connection.fetch_all(sql)
    return [(Place(row["server_url"]), row["creator_id"]) for row in rows]


async def select_agents(connection: Connection, owner: UUID, part: Slice) -> Page[A2AAgent]:
    """The owner's A2A agents, newest first."""
    sql = """
        SELECT id, name, alias, description, server_url,
               CAST(card_content AS text) AS card_content,
               created_at, updated_at, is_active, creator_id,
               coalesce(octet_length(description), 0)
                   + octet_length(CAST(card_content AS text)) AS bytes
        FROM a2acards WHERE creator_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    make = builder(A2AAgent, "card_content")
    return await select_page(connection, sql, {"owner": owner}, part, make)


async def select_agent(connection: Connection, owner: UUID, id_: UUID) -> A2AAgent | None:
    """One of the owner's A2A agents."""
    sql = """
        SELECT id, name, alias, description, server_url, card_content,
               created_at, updated_at, is_active, creator_id
        FROM a2acards WHERE creator_id = :owner AND id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return A2AAgent(**columns(row)) if row else None


async def delete_agent(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Delete one of the owner's A2A agents; whether there was one."""
    sql = "DELETE FROM a2acards WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_val(sql, {"owner": owner, "id": id_}) is not None
