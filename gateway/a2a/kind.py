"""A2A agents as a kind of what users add by a URL."""

from databases.core import Connection

from gateway.a2a import queries
from gateway.a2a.lookup import look_up
from gateway.remote.kinds import Kind, Place, Recalled
from shared.secrets import Vault


async def _recall(_connection: Connection, _vault: Vault, _place: Place) -> Recalled:
    """Cards are asked for without more ado."""
    return Recalled()


A2A_AGENTS = Kind(
    "A2A agent",
    lambda outbound, url, _: look_up(outbound, url),
    _recall,
    queries.select_due,
    queries.activate_agents,
    queries.update_cards,
    queries.count_failure,
)
