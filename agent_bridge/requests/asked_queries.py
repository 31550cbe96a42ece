"""The bridge's statement about agents that are asked themselves."""

from attrs import frozen
from databases.core import Connection

from agent_bridge.requests.claim_queries import ClaimedRequest
from shared.domain.asked import Member
from shared.domain.flows import ASKED_MEMBERS_LIMIT
from shared.postgres.pool import columns


@frozen
class Asked:
    """Who is asked, in order; they may be only if the claim `is_held`.

    Of a flow with more than ASKED_MEMBERS_LIMIT members one more. Nobody: the owner has no such
    agent nor flow.
    """

    is_held: bool
    members: list[Member]


async def mark_asked(connection: Connection, request: ClaimedRequest) -> Asked:
    """Note that agents themselves are about to be invoked, and read who they are."""
    sql = """
        WITH asked AS (
            SELECT id, 'genai' AS type, 1 AS place FROM agents
            WHERE creator_id = :owner AND id = :asked_id
            UNION ALL
            SELECT CAST(member ->> 'id' AS uuid), member ->> 'type', place
            FROM agentworkflows
            CROSS JOIN LATERAL json_array_elements(flow) WITH ORDINALITY AS members (member, place)
            WHERE creator_id = :owner AND agentworkflows.id = :asked_id AND place <= :limit
        ), marked AS (
            UPDATE requests SET sent_at = now()
            WHERE claim_id = :claim_id AND status = 'running' AND lease_until > clock_timestamp()
            RETURNING id
        )
        SELECT asked.type, agents.id, alias, is_active, input_parameters,
               EXISTS (SELECT FROM marked) AS is_held
        FROM asked
        LEFT JOIN agents
          ON agents.id = asked.id AND agents.creator_id = :owner AND asked.type = 'genai'
        ORDER BY place
    """
    values = {
        "owner": request.creator_id,
        "asked_id": request.asked_id,
        "claim_id": request.claim_id,
        "limit": ASKED_MEMBERS_LIMIT + 1,
    }
    rows = [columns(row) for row in await connection.fetch_all(sql, values)]
    held = [row.pop("is_held") for row in rows]
    return Asked(any(held), [Member(**row) for row in rows])
