"""A request as a bridge has claimed it, of nobody that PostgreSQL knows."""

from uuid import uuid4

from agent_bridge.requests.claim_queries import ClaimedRequest


def make_claimed(seconds_left: float) -> ClaimedRequest:
    """For the master agent, with nothing but a message; so long before its deadline."""
    return ClaimedRequest(
        id=uuid4(),
        claim_id=uuid4(),
        session_id=uuid4(),
        creator_id=uuid4(),
        message="hello",
        config_name=None,
        provider_name=None,
        file_ids=[],
        seconds_left=seconds_left,
        waited=0.0,
        traceparent=None,
        message_id=None,
        has_flows=False,
        overrides=None,
        asked_id=None,
    )
