"""How A2A agents are looked up again."""

from databases import Database

from gateway.a2a import queries
from gateway.a2a.lookup import look_up
from gateway.remote.outbound import Outbound
from gateway.remote.refresh import Kind
from shared.postgres.pool import connect


async def _update(database: Database, outbound: Outbound, url: str) -> None:
    card = await look_up(outbound, url)
    async with connect(database) as connection:
        await queries.update_agents(connection, url, card)


A2A_AGENTS = Kind("A2A agent", queries.select_urls, _update, queries.deactivate_agents)
