"""The bridge's statement about agents that are asked themselves."""

from collections.abc import Sequence

from databases.core import Connection

from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.marked import Asked
from shared.domain.asked import Member
from shared.domain.flows import ASKED_MEMBERS_LIMIT


async def mark_asked(connection: Connection, requests: Sequence[ClaimedRequest]) -> list[Asked]:
    """Note that agents themselves are about to be invoked, and read who they are.

    Members of a flow are of its own creator, whoever asks. Requests are locked
    in order, as by whoever ends some.
    """
    sql = """
        WITH claimed AS (
            SELECT * FROM unnest(
                CAST(:claim_ids AS uuid[]), CAST(:owners AS uuid[]), CAST(:asked_ids AS uuid[])
            ) AS claimed (claim_id, owner, asked_id)
        ), asked AS (
            SELECT claim_id, creator_id, id, 'genai' AS type, 1 AS place
            FROM claimed CROSS JOIN LATERAL usable_agent(owner, asked_id)
            UNION ALL
            SELECT claim_id, creator_id, CAST(member ->> 'id' AS uuid), member ->> 'type', place
            FROM claimed CROSS JOIN LATERAL usable_flow(owner, asked_id) AS flows
            CROSS JOIN LATERAL json_array_elements(flow) WITH ORDINALITY AS members (member, place)
            WHERE place <= :limit
        ), held AS (
            SELECT requests.id FROM requests JOIN claimed USING (claim_id)
            WHERE status = 'running' AND lease_until > clock_timestamp()
            ORDER BY session_id, id FOR UPDATE OF requests
        ), marked AS (
            UPDATE requests SET sent_at = now() FROM held WHERE requests.id = held.id
            RETURNING claim_id
        )
        SELECT claim_id, asked.type, agent.id, alias, is_active, input_parameters,
               EXISTS (SELECT FROM marked WHERE marked.claim_id = asked.claim_id) AS is_held
        FROM asked
        LEFT JOIN LATERAL (
            SELECT id, alias, is_active, input_parameters FROM agents
            WHERE id = asked.id AND creator_id = asked.creator_id LIMIT 1
        ) AS agent ON asked.type = 'genai'
        ORDER BY place
    """
    values = {
        "claim_ids": [each.claim_id for each in requests],
        "owners": [each.creator_id for each in requests],
        "asked_ids": [each.asked_id for each in requests],
        "limit": ASKED_MEMBERS_LIMIT + 1,
    }
    asked = {each.claim_id: Asked() for each in requests}
    for claim_id, *member, is_held in await connection.fetch_all(sql, values):
        asked[claim_id].is_held = is_held
        asked[claim_id].members.append(Member(*member))
    return [asked[each.claim_id] for each in requests]
