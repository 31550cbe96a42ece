"""What stands for a user's things, each kind in a few characters: others when one has changed."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from databases.core import Connection

from gateway.changes.schemas import Topic

CHATS_MOST = 1000  # newest chats that are looked at
TOPICS: tuple[Topic, ...] = get_args(Topic.__value__)

type States = tuple[str, ...]
"""One of each topic, in their order."""


async def select_states(connection: Connection, owners: Sequence[UUID]) -> dict[UUID, States]:
    """For each owner how his things are: a statement for all of them, over indexes alone.

    A request that ends is not among the open ones any more; one that began and ended since is
    the last one.
    """
    sql = """
        WITH told AS (
            SELECT owner, CAST(ARRAY[
                (
                    SELECT string_agg(
                        concat(id, creator_id, updated_at, is_active), ',' ORDER BY id
                    ) FROM usable_agents(owner)
                ),
                (
                    SELECT string_agg(concat(id, updated_at), ',' ORDER BY id)
                    FROM usable_flows(owner)
                ),
                (
                    SELECT string_agg(concat(id, updated_at, is_active), ',' ORDER BY id) FROM (
                        SELECT id, updated_at, is_active FROM usable_servers(owner)
                        UNION ALL
                        SELECT id, updated_at, is_active FROM usable_cards(owner)
                    ) AS servers
                ),
                (
                    SELECT concat_ws(
                        ',', count(*), min(created_at), max(created_at), max(updated_at)
                    )
                    FROM (
                        SELECT created_at, updated_at FROM chatconversations
                        WHERE creator_id = owner
                        ORDER BY created_at DESC, session_id LIMIT :most
                    ) AS chats
                ),
                (
                    SELECT concat_ws(',', (
                        SELECT max(position) FROM requests WHERE creator_id = owner
                    ), (
                        SELECT string_agg(concat(position, status, sent_at), ',' ORDER BY position)
                        FROM requests WHERE creator_id = owner AND status IN ('queued', 'running')
                    ))
                )
            ] AS text[]) AS states
            FROM unnest(CAST(:owners AS uuid[])) AS owner
        )
        SELECT owner, ARRAY(
            SELECT left(md5(coalesce(state, '')), 8)
            FROM unnest(states) WITH ORDINALITY AS each (state, place) ORDER BY place
        ) AS states
        FROM told
    """
    rows = await connection.fetch_all(sql, {"owners": [*owners], "most": CHATS_MOST})
    return {row["owner"]: tuple(row["states"]) for row in rows}
