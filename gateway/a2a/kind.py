"""A2A agents as a kind of what users add by a URL."""

from databases.core import Connection

from gateway.a2a import queries
from gateway.a2a.lookup import finds_the_same, look_up
from gateway.a2a.storing import update_cards
from gateway.remote.kinds import Kind, Target


async def _note_refusal(_connection: Connection, _target: Target) -> None:
    """What is lacking, its card says."""


A2A_AGENTS = Kind(
    "A2A agent",
    look_up,
    finds_the_same,
    queries.select_headers,
    queries.select_due,
    queries.activate_agents,
    update_cards,
    queries.count_failure,
    _note_refusal,
)
