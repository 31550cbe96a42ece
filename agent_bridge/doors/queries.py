"""The statements about who is connected through doors.

An identity is in one place: the newest connection has it, and what an older one still says of it
does not count. A door that is not renewed is gone, and all who came through it with it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from agent_bridge.agents.registry import Registration
from shared.domain.agents import make_alias
from shared.postgres.pool import columns
from shared.tokens import stored_forms, without_signature

LEASE_SECONDS = 5.0
SETTLED_SECONDS = 10.0  # after which it is certain that who took a place is known at the door


async def take_place(
    connection: Connection, identity: str, agent_id: UUID | None, connection_id: UUID, door: UUID
) -> UUID | None:
    """Have an identity from now on; the door where it was before, if it was anywhere."""
    sql = """
        WITH before AS (
            SELECT bridge_id FROM door_connections WHERE identity = :identity FOR UPDATE
        ), taken AS (
            INSERT INTO door_connections (identity, agent_id, connection_id, bridge_id)
            VALUES (:identity, :agent_id, :connection_id, :door)
            ON CONFLICT (identity) DO UPDATE
            SET connection_id = :connection_id, bridge_id = :door, connected_at = now()
        )
        SELECT bridge_id FROM before
    """
    values = {
        "identity": identity,
        "agent_id": agent_id,
        "connection_id": connection_id,
        "door": door,
    }
    before: UUID | None = await connection.fetch_val(sql, values)
    return before


async def leave_place(connection: Connection, identity: str, connection_id: UUID) -> None:
    """Have it no more, unless a newer connection has it; an agent is inactive then."""
    sql = """
        WITH gone AS (
            DELETE FROM door_connections
            WHERE identity = :identity AND connection_id = :connection_id RETURNING agent_id
        )
        UPDATE agents SET is_active = false, updated_at = now()
        FROM gone WHERE agents.id = gone.agent_id
    """
    await connection.execute(sql, {"identity": identity, "connection_id": connection_id})


async def activate(connection: Connection, connection_id: UUID, agent: Registration) -> bool:
    """Store what an agent says of itself; False: it is no more, or its token is not its own any
    more.

    An empty name or description leaves the stored one. The alias stays while the name stays.
    """
    sql = """
        WITH here AS (
            SELECT agent_id FROM door_connections
            WHERE identity = CAST(CAST(:id AS uuid) AS text) AND connection_id = :connection_id
            FOR SHARE
        ), standing AS (
            SELECT id FROM agents
            WHERE id = :id AND creator_id = :owner AND jwt = ANY(:token_forms)
              AND EXISTS (SELECT FROM users WHERE users.id = creator_id AND locked_at IS NULL)
        ), updated AS (
            UPDATE agents SET
                alias = CASE WHEN :name IN ('', name) THEN alias ELSE :alias END,
                name = CASE WHEN :name = '' THEN name ELSE :name END,
                description = CASE WHEN :description = '' THEN description ELSE :description END,
                input_parameters = :input_parameters,
                is_active = true,
                is_verified = true,
                updated_at = now()
            FROM here, standing WHERE agents.id = standing.id AND agents.id = here.agent_id
        )
        SELECT EXISTS (SELECT FROM standing)
    """
    values = {
        "id": agent.agent_id,
        "connection_id": connection_id,
        "owner": agent.owner,
        "token_forms": stored_forms(agent.token),
        "name": agent.name,
        "alias": make_alias(agent.name),
        "description": agent.description,
        "input_parameters": agent.input_schema,
    }
    return bool(await connection.fetch_val(sql, values))


@frozen
class Held:
    """A place as a connection at this door has it, or had."""

    identity: str
    connection_id: UUID
    agent_id: UUID | None
    token: str | None = field(repr=False)
    is_active: bool
    """Whether the agent has said who it is."""


@frozen
class Standing:
    """What has become of it."""

    identity: str
    is_here: bool
    is_free: bool
    stands: bool


async def select_standings(connection: Connection, held: Sequence[Held]) -> list[Standing]:
    """What has become of places: still held, or by nobody; and whether tokens stand.

    Those of a user who is locked out do not.
    """
    sql = """
        SELECT own.identity,
               place.connection_id IS NOT DISTINCT FROM own.connection_id AS is_here,
               place.identity IS NULL AS is_free,
               own.agent_id IS NULL OR users.id IS NOT NULL
                   AND agents.jwt IN (own.token, own.stored_token) AS stands
        FROM unnest(
                 CAST(:identities AS text[]), CAST(:connection_ids AS uuid[]),
                 CAST(:agent_ids AS uuid[]), CAST(:tokens AS text[]), CAST(:stored_tokens AS text[])
             ) AS own (identity, connection_id, agent_id, token, stored_token)
        LEFT JOIN door_connections AS place ON place.identity = own.identity
        LEFT JOIN agents ON agents.id = own.agent_id
        LEFT JOIN users ON users.id = agents.creator_id AND users.locked_at IS NULL
    """
    tokens = [each.token for each in held]
    stored = [None if token is None else without_signature(token) for token in tokens]
    values = {**_columns(held), "tokens": tokens, "stored_tokens": stored}
    rows = await connection.fetch_all(sql, values)
    return [Standing(**columns(row)) for row in rows]


async def take_free_places(connection: Connection, held: Sequence[Held], door: UUID) -> None:
    """Have places again that nobody has: this door was taken for gone. Agents are active again."""
    sql = """
        WITH own AS (
            SELECT * FROM unnest(
                CAST(:identities AS text[]), CAST(:connection_ids AS uuid[]),
                CAST(:agent_ids AS uuid[]), CAST(:active AS boolean[])
            ) AS own (identity, connection_id, agent_id, is_active)
        ), taken AS (
            INSERT INTO door_connections (identity, agent_id, connection_id, bridge_id)
            SELECT identity, agent_id, connection_id, :door FROM own
            ON CONFLICT DO NOTHING
            RETURNING identity
        )
        UPDATE agents SET is_active = true
        FROM own JOIN taken USING (identity)
        WHERE agents.id = own.agent_id AND own.is_active
    """
    active = [each.is_active for each in held]
    await connection.execute(sql, {**_columns(held), "active": active, "door": door})


def _columns(held: Sequence[Held]) -> dict[str, list[Any]]:
    return {
        "identities": [each.identity for each in held],
        "connection_ids": [each.connection_id for each in held],
        "agent_ids": [each.agent_id for each in held],
    }


async def select_may_call(connection: Connection, caller: UUID, callee: UUID) -> bool:
    """Whether an agent is connected now, through any door, and the other has the same owner."""
    sql = """
        SELECT EXISTS (
            SELECT FROM door_connections
            JOIN doors USING (bridge_id)
            JOIN agents AS caller ON caller.id = door_connections.agent_id
            JOIN agents AS callee ON callee.creator_id = caller.creator_id
            WHERE identity = CAST(CAST(:caller AS uuid) AS text)
              AND callee.id = :callee AND alive_until > now()
        )
    """
    return bool(await connection.fetch_val(sql, {"caller": caller, "callee": callee}))


async def select_works_for(connection: Connection, request_id: UUID, callee: UUID) -> bool:
    """Whether the master agent works on this request, and its user may use the agent."""
    sql = """
        SELECT EXISTS (
            SELECT FROM requests JOIN agents USING (creator_id)
            WHERE requests.id = :request_id AND status = 'running' AND agents.id = :callee
        ) OR EXISTS (
            SELECT FROM requests
            WHERE id = :request_id AND status = 'running' AND may_use_agent(creator_id, :callee)
        )
    """
    return bool(await connection.fetch_val(sql, {"request_id": request_id, "callee": callee}))


async def renew_door(connection: Connection, door: UUID) -> None:
    """Be a door for some more seconds."""
    sql = """
        INSERT INTO doors (bridge_id, alive_until)
        VALUES (:door, now() + CAST(:seconds AS double precision) * interval '1 second')
        ON CONFLICT (bridge_id) DO UPDATE SET alive_until = excluded.alive_until
    """
    await connection.execute(sql, {"door": door, "seconds": LEASE_SECONDS})


async def remove_what_is_gone(connection: Connection, door: UUID, here: Sequence[UUID]) -> int:
    """Forget doors that were not renewed, with who came through them; how many agents that were.

    And whoever is noted at this door for a while and is not here: what was to be noted of his end
    may have been lost, or overtaken by `take_free_places`.
    """
    sql = """
        WITH dead AS (
            DELETE FROM doors WHERE alive_until < now() RETURNING bridge_id
        ), gone AS (
            DELETE FROM door_connections USING dead
            WHERE door_connections.bridge_id = dead.bridge_id RETURNING agent_id
        ), forgotten AS (
            DELETE FROM door_connections
            WHERE bridge_id = :door
              AND connected_at < now() - CAST(:seconds AS double precision) * interval '1 second'
              AND NOT EXISTS (
                  SELECT FROM unnest(CAST(:here AS uuid[])) AS own (id) WHERE own.id = connection_id
              )
            RETURNING agent_id
        ), left_alone AS (
            UPDATE agents SET is_active = false, updated_at = now()
            FROM (SELECT agent_id FROM gone UNION ALL SELECT agent_id FROM forgotten) AS all_gone
            WHERE agents.id = all_gone.agent_id
            RETURNING agents.id
        )
        SELECT count(*) FROM left_alone
    """
    values = {"door": door, "here": list(here), "seconds": SETTLED_SECONDS}
    return int(await connection.fetch_val(sql, values))


async def close_door(connection: Connection, door: UUID) -> None:
    """Be no door any more, for nobody."""
    sql = """
        WITH closed AS (
            DELETE FROM doors WHERE bridge_id = :door
        ), gone AS (
            DELETE FROM door_connections WHERE bridge_id = :door RETURNING agent_id
        )
        UPDATE agents SET is_active = false, updated_at = now()
        FROM gone WHERE agents.id = gone.agent_id
    """
    await connection.execute(sql, {"door": door})
