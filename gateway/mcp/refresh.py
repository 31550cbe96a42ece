"""How MCP servers are looked up again."""

from databases import Database

from gateway.mcp import queries
from gateway.mcp.lookup import look_up
from gateway.remote.outbound import Outbound
from gateway.remote.refresh import Kind
from shared.postgres.pool import connect, transaction


async def _update(database: Database, outbound: Outbound, url: str) -> None:
    tools = await look_up(outbound, url)
    async with connect(database) as connection, transaction(connection):
        ids = await queries.activate_servers(connection, url)
        await queries.update_tools(connection, ids, tools)


MCP_SERVERS = Kind("MCP server", queries.select_urls, _update, queries.deactivate_servers)
