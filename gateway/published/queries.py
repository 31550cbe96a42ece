"""Publications in PostgreSQL."""

from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
from attrs import field, frozen
from databases.core import Connection

from gateway.published.addresses import CARD_PATH, url_of
from gateway.published.schemas import Publication
from gateway.streams.targets import Askable, Kind
from gateway.web.paging import Page, Slice, select_one, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told
from shared.postgres.pool import columns

PUBLICATIONS = Quota(
    "publications",
    lambda settings: settings.publications_per_user,
    "SELECT count(*) FROM publications WHERE creator_id = :owner",
)


class AliasTakenError(Exception):
    """Somebody's publication has this alias."""


class PublishedAlreadyError(Exception):
    """There is a publication of it."""


@frozen
class Publishable:
    """What may be published: its name, and the alias that it has, if it has one."""

    name: str
    alias: str | None


@frozen
class Published:
    """What is published, as its callers see it."""

    id: UUID
    alias: str
    owner: UUID
    description: str = field(repr=False)
    updated_at: datetime
    what: Askable
    """The name of a model config is its own, which no caller is told."""


_OWN = """
    SELECT publications.alias,
           CASE WHEN agent_id IS NOT NULL THEN 'agent'
                WHEN flow_id IS NOT NULL THEN 'flow' ELSE 'config' END AS kind,
           coalesce(agent_id, flow_id, config_id) AS id,
           coalesce(agents.name, agentworkflows.name, modelconfigs.name) AS name,
           publications.created_at, 1024 AS bytes
    FROM publications
    LEFT JOIN agents ON agents.id = agent_id
    LEFT JOIN agentworkflows ON agentworkflows.id = flow_id
    LEFT JOIN modelconfigs ON modelconfigs.id = config_id
    WHERE publications.creator_id = :owner
"""
TOLD = Told(
    Publication,
    texts={
        "url": "CAST(to_json(:base || alias) AS text)",
        "card_url": f"CAST(to_json(:base || alias || '{CARD_PATH}') AS text)",
    },
)


async def select_publishable(
    connection: Connection, owner: UUID, kind: Kind, id_: UUID
) -> Publishable | None:
    """What this owner may publish."""
    sql = """
        SELECT name, alias FROM agents
        WHERE CAST(:kind AS text) = 'agent' AND creator_id = :owner AND id = :id
        UNION ALL
        SELECT name, alias FROM agentworkflows
        WHERE :kind = 'flow' AND creator_id = :owner AND id = :id
        UNION ALL
        SELECT name, NULL FROM modelconfigs
        WHERE :kind = 'config' AND creator_id = :owner AND id = :id
    """
    row = await connection.fetch_one(sql, {"kind": kind, "owner": owner, "id": id_})
    return Publishable(**columns(row)) if row else None


async def insert_publication(
    connection: Connection, owner: UUID, kind: Kind, target_id: UUID, alias: str
) -> bool:
    """Publish something of the owner's; False: it is no more.

    Raises AliasTakenError, PublishedAlreadyError: the transaction has failed then.
    """
    sql = """
        INSERT INTO publications (id, alias, creator_id, agent_id, flow_id, config_id)
        SELECT CAST(:id AS uuid), CAST(:alias AS text), CAST(:owner AS uuid),
               CASE WHEN CAST(:kind AS text) = 'agent' THEN target.id END,
               CASE WHEN :kind = 'flow' THEN target.id END,
               CASE WHEN :kind = 'config' THEN target.id END
        FROM (
            SELECT id FROM agents
            WHERE :kind = 'agent' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM agentworkflows
            WHERE :kind = 'flow' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM modelconfigs
            WHERE :kind = 'config' AND creator_id = :owner AND id = :target_id
        ) AS target
        RETURNING id
    """
    values = {
        "id": uuid4(),
        "alias": alias,
        "owner": owner,
        "kind": kind,
        "target_id": target_id,
    }
    try:
        return await connection.fetch_one(sql, values) is not None
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "uq_publications_alias":
            raise AliasTakenError from None
        raise PublishedAlreadyError from None


async def select_publications(
    connection: Connection, owner: UUID, part: Slice, base: str
) -> Page[Publication]:
    """The owner's publications, newest first, with their addresses at this base."""
    sql = f"""
        {_OWN} ORDER BY publications.created_at DESC, publications.id
        LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "base": url_of(base, "")}
    return await select_page(connection, sql, values, part, TOLD)


async def select_publication(
    connection: Connection, owner: UUID, alias: str, base: str
) -> Publication | None:
    """The owner's publication of this alias, with its addresses at this base."""
    sql = f"{_OWN} AND publications.alias = :alias LIMIT :limit OFFSET :offset"
    values = {"owner": owner, "alias": alias, "base": url_of(base, "")}
    publication: Publication | None = await select_one(connection, sql, values, TOLD)
    return publication


async def delete_publication(connection: Connection, owner: UUID, alias: str) -> bool:
    """Whether the owner had such a publication."""
    sql = "DELETE FROM publications WHERE creator_id = :owner AND alias = :alias RETURNING id"
    return await connection.fetch_one(sql, {"owner": owner, "alias": alias}) is not None


async def select_published(connection: Connection, alias: str) -> Published | None:
    """What anybody has published under this alias."""
    sql = """
        SELECT publications.id, publications.alias, publications.creator_id AS owner,
               CASE WHEN agent_id IS NOT NULL THEN 'agent'
                    WHEN flow_id IS NOT NULL THEN 'flow' ELSE 'config' END AS kind,
               coalesce(agent_id, flow_id, config_id) AS target_id,
               coalesce(agents.name, agentworkflows.name, modelconfigs.name) AS name,
               coalesce(agents.description, agentworkflows.description, '') AS description,
               greatest(
                   publications.created_at, agents.updated_at, agentworkflows.updated_at
               ) AS updated_at
        FROM publications
        LEFT JOIN agents ON agents.id = agent_id
        LEFT JOIN agentworkflows ON agentworkflows.id = flow_id
        LEFT JOIN modelconfigs ON modelconfigs.id = config_id
        WHERE publications.alias = :alias
    """
    row = await connection.fetch_one(sql, {"alias": alias})
    if row is None:
        return None
    found = columns(row)
    what = Askable(found.pop("kind"), found.pop("target_id"), found.pop("name"))
    return Published(**found, what=what)
