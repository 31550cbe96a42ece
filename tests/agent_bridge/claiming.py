"""Claiming as a bridge does that was told of no request by name."""

from uuid import UUID

from databases.core import Connection

from agent_bridge.requests import claim_queries
from agent_bridge.requests.claim_queries import ANY_NUMBER, ClaimedRequest
from agent_bridge.requests.taking_queries import take_requests


async def claim_requests(
    connection: Connection, bridge_id: UUID, limit: int, most_running: int = ANY_NUMBER
) -> list[ClaimedRequest]:
    """Whose turn it is, in the order in which they came."""
    ids = await claim_queries.select_turns(connection, limit, most_running)
    return await take_requests(connection, bridge_id, ids)
