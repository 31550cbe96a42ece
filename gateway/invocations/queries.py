"""Who is asked, and how far a request is, in PostgreSQL."""

from uuid import UUID

from databases.core import Connection

from gateway.streams.asking import Accepted
from shared.domain.asked import Member
from shared.domain.flows import ASKED_MEMBERS_LIMIT
from shared.postgres.pool import columns


async def select_agent(connection: Connection, owner: UUID, id_: UUID) -> list[Member]:
    """An agent that the owner may use; nobody, where there is none."""
    sql = """
        SELECT 'genai' AS type, id, alias, is_active, input_parameters
        FROM usable_agent(:owner, :id)
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "id": id_})
    return [Member(**columns(row)) for row in rows]


async def select_members(connection: Connection, owner: UUID, id_: UUID) -> list[Member]:
    """The members of a flow that the owner may use in their order; nobody, where there is none.

    Of one with more than ASKED_MEMBERS_LIMIT members one more.
    """
    sql = """
        SELECT member ->> 'type' AS type, agents.id, agents.alias, agents.is_active,
               agents.input_parameters
        FROM usable_flow(:owner, :id) AS flows
        CROSS JOIN LATERAL json_array_elements(flow) WITH ORDINALITY AS members (member, place)
        LEFT JOIN agents
          ON agents.id = CAST(member ->> 'id' AS uuid) AND agents.creator_id = flows.creator_id
         AND member ->> 'type' = 'genai'
        WHERE place <= :limit
        ORDER BY place
    """
    values = {"owner": owner, "id": id_, "limit": ASKED_MEMBERS_LIMIT + 1}
    return [Member(**columns(row)) for row in await connection.fetch_all(sql, values)]


async def select_accepted(connection: Connection, owner: UUID, request_id: UUID) -> Accepted | None:
    """The owner's request, as it was accepted, and the seq of its answer if it has one."""
    sql = """
        SELECT id AS request_id, session_id, message_id, coalesce(accepted_seq, 0) AS seq,
               seq AS answer_seq
        FROM requests WHERE creator_id = :owner AND id = :request_id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "request_id": request_id})
    return Accepted(**columns(row), is_new=False) if row else None
