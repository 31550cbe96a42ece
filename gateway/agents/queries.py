"""Agents in PostgreSQL."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record

from gateway.agents.schemas import Agent, AgentChanges, AgentSelection, RegisteredAgent
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told, left
from gateway.web.usable import listed
from shared.codec.text import write_json
from shared.domain.agents import name_function
from shared.postgres.pool import columns
from shared.postgres.rows import builder

AGENTS = Quota(
    "agents",
    lambda settings: settings.agents_per_user,
    "SELECT count(*) FROM agents WHERE creator_id = :owner",
)


type Restore = Callable[[UUID, str], str]
"""The token of an agent of which this is stored."""


async def insert_agent(
    connection: Connection,
    id_: UUID,
    owner: UUID,
    name: str,
    alias: str,
    description: str,
    input_parameters: dict[str, Any],
    jwt: str,
) -> RegisteredAgent | None:
    """The new, inactive agent, or None: there is one with this id, or the alias is taken.

    Its `jwt` is what was stored.
    """
    sql = """
        INSERT INTO agents
            (id, name, alias, description, input_parameters, jwt, creator_id, is_active)
        VALUES
            (:id, :name, :alias, :description, :input_parameters, :jwt, :owner, false)
        ON CONFLICT DO NOTHING
        RETURNING id, name, description, input_parameters, created_at, updated_at, alias, jwt
    """
    values = {
        "id": id_,
        "owner": owner,
        "name": name,
        "alias": alias,
        "description": description,
        "input_parameters": input_parameters,
        "jwt": jwt,
    }
    row = await connection.fetch_one(sql, values)
    return RegisteredAgent(**columns(row)) if row else None


async def select_agents(
    connection: Connection,
    restore: Restore | None,
    owner: UUID,
    asking: UUID | None,
    selection: AgentSelection,
    part: Slice,
    is_active: bool | None = None,
) -> Page[Agent]:
    """The owner's agents that have a name and a description or are connected, oldest first.

    Or those that others share with him. Where an agent is asking, only its own token is shown, and
    never that of another user's. Of the two filters only the name counts where both are given.
    """
    sql = f"""
        SELECT id AS agent_id, name AS agent_name, description AS agent_description,
               input_parameters AS agent_schema, created_at, updated_at, is_active,
               CASE WHEN creator_id = :owner AND (CAST(:asking AS uuid) IS NULL OR id = :asking)
                         AND :with_tokens
                   THEN jwt ELSE '' END AS agent_jwt, alias AS agent_alias,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS owner,
               CASE WHEN creator_id <> :owner THEN true END AS shared,
               CASE WHEN :details THEN timezone('utc', is_active_since) END AS is_active_since,
               600 + octet_length(description)
                   + octet_length(CAST(input_parameters AS text)) AS bytes
        FROM {listed("agents", shared=selection.shared)} AS agents
        WHERE (creator_id <> :owner) = CAST(:shared AS boolean)
          AND (is_active OR name <> '' AND description <> '')
          AND (CAST(:is_active AS boolean) IS NULL OR is_active = :is_active)
          AND CASE
                  WHEN CAST(:name AS text) IS NOT NULL THEN name = :name
                  ELSE CAST(:description AS text) IS NULL
                       OR position(lower(:description) IN lower(description)) > 0
              END
        ORDER BY created_at, id LIMIT :limit OFFSET :offset
    """  # noqa: S608 (one of two texts)
    values = {
        "owner": owner,
        "asking": asking,
        "name": selection.name,
        "description": selection.description,
        "is_active": is_active,
        "shared": selection.shared,
        "details": selection.details,
        "with_tokens": restore is not None,
    }
    return await select_page(
        connection, sql, values, part, _told(restore, details=selection.details)
    )


async def select_agent(
    connection: Connection,
    restore: Restore | None,
    owner: UUID,
    asking: UUID | None,
    id_: UUID,
    *,
    details: bool = False,
) -> Agent | None:
    """One of the owner's agents, or of those that others share with him.

    Where another one is asking, or it is another user's, without its token.
    """
    sql = """
        SELECT id AS agent_id, name AS agent_name, description AS agent_description,
               input_parameters AS agent_schema, created_at, updated_at, is_active,
               CASE WHEN creator_id = :owner AND (CAST(:asking AS uuid) IS NULL OR id = :asking)
                   THEN jwt ELSE '' END AS agent_jwt, alias AS agent_alias,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS shared_by,
               timezone('utc', is_active_since) AS is_active_since
        FROM usable_agent(:owner, :id)
    """
    row = await connection.fetch_one(sql, {"owner": owner, "asking": asking, "id": id_})
    if row is None:
        return None
    return _marked(_agent(restore, row, row["agent_schema"]), row, details=details)


async def update_agent(
    connection: Connection,
    restore: Restore | None,
    owner: UUID,
    id_: UUID,
    name: str,
    changes: AgentChanges,
) -> Agent | None:
    """The owner's agent after the changes, under this name and its old alias."""
    sql = """
        UPDATE agents
        SET name = :name, description = :description, input_parameters = :input_parameters,
            updated_at = now()
        WHERE creator_id = :owner AND id = :id
        RETURNING id AS agent_id, name AS agent_name, description AS agent_description,
                  input_parameters AS agent_schema, created_at, updated_at, is_active,
                  jwt AS agent_jwt, alias AS agent_alias
    """
    values = {
        "owner": owner,
        "id": id_,
        "name": name,
        "description": changes.description,
        "input_parameters": changes.input_parameters,
    }
    row = await connection.fetch_one(sql, values)
    return _agent(restore, row, row["agent_schema"]) if row else None


async def update_token(
    connection: Connection, owner: UUID, id_: UUID, jwt: str
) -> RegisteredAgent | None:
    """The owner's agent with this, as stored, in place of the token that it had.

    It counts as gone until it has registered with the new one, whoever is connected.
    """
    sql = """
        UPDATE agents SET jwt = :jwt, is_active = false, updated_at = now()
        WHERE creator_id = :owner AND id = :id
        RETURNING id, name, description, input_parameters, created_at, updated_at, alias, jwt
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_, "jwt": jwt})
    return RegisteredAgent(**columns(row)) if row else None


async def delete_agent(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Whether there was such an agent of the owner's; its token dies with it."""
    sql = "DELETE FROM agents WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_one(sql, {"owner": owner, "id": id_}) is not None


_build = builder(Agent)


def _agent(restore: Restore | None, row: Record, schema: dict[str, Any]) -> Agent:
    agent = _build(row)
    if agent.agent_jwt:
        jwt = restore(agent.agent_id, agent.agent_jwt) if restore else ""
        vars(agent)["agent_jwt"] = jwt
    vars(agent)["agent_schema"] = name_function(schema, agent.agent_name)
    return agent


def _told(restore: Restore | None, *, details: bool) -> Told:
    """How one of many is told: all their schemas as objects would take much memory."""

    def fill(field: str, first: str, second: Any) -> str:
        if field == "schema":
            return write_json(name_function(second, first)).decode()
        assert restore is not None
        return write_json(restore(UUID(first), second)).decode()

    keep = ("is_active_since",) if details else ()
    return Told(Agent, keep=keep, texts=TEXTS, fill=fill)


# Schemas are told as they are stored where they have the agent's name, and so are whole tokens.
# Half a pair of surrogates is the gateway's to read.
TEXTS = {
    "agent_schema": f"""
        CASE WHEN strpos(CAST(agent_schema AS text), '\\u') = 0
                  AND CAST(agent_schema #> '{{function,name}}' AS text)
                      = CAST(to_json(agent_name) AS text)
             THEN CAST(agent_schema AS text)
             ELSE {left("'schema'", "agent_name", "agent_schema")} END
    """,
    "agent_jwt": f"""
        CASE WHEN agent_jwt = '' OR agent_jwt LIKE '%.%.%' AND agent_jwt NOT LIKE '%.%.%.%'
             THEN CAST(to_json(agent_jwt) AS text)
             ELSE {left("'jwt'", "agent_id", "agent_jwt")} END
    """,
}


def _marked(agent: Agent, row: Record, *, details: bool) -> Agent:
    """The agent, which says whose it is where that is another user."""
    if details:
        vars(agent).update(is_active_since=row["is_active_since"])
    if row["shared_by"] is not None:
        vars(agent).update(owner=row["shared_by"], shared=True)
    return agent
