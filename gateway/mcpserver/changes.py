"""Whether what a user may call has changed."""

from collections.abc import Sequence
from uuid import UUID

from databases.core import Connection


async def select_tools(connection: Connection, owners: Sequence[UUID]) -> dict[UUID, str]:
    """For each owner what is another one when a flow, or an active agent, is new, other or gone."""
    sql = """
        SELECT owner, md5(concat(
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id)
                FROM usable_agents(owner) WHERE is_active
            ),
            ';',
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id)
                FROM usable_flows(owner)
            )
        )) AS state
        FROM unnest(CAST(:owners AS uuid[])) AS owner
    """
    rows = await connection.fetch_all(sql, {"owners": [*owners]})
    return {row["owner"]: row["state"] for row in rows}
