"""The bridge's statements that claim requests, and mark at once as sent what they can."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from databases.core import Connection

from agent_bridge.requests import claim_queries
from agent_bridge.requests.claim_queries import ANY_NUMBER, ClaimedRequest
from agent_bridge.requests.marked import Asked, ChosenConfig, Marked, callable_agent
from agent_bridge.requests.queries import AGENTS_LIMIT
from shared.domain.asked import Member
from shared.postgres.pool import columns

TURNS = """
    WITH RECURSIVE waiting AS (
        (
            SELECT creator_id FROM requests WHERE status = 'queued'
            ORDER BY creator_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT next.creator_id FROM requests AS next
            WHERE next.status = 'queued' AND next.creator_id > waiting.creator_id
            ORDER BY next.creator_id LIMIT 1
        )
        FROM waiting WHERE waiting.creator_id IS NOT NULL
    ), head AS (
        SELECT id, position,
               running.count + row_number() OVER (PARTITION BY creator_id ORDER BY position)
               AS turn
        FROM waiting
        CROSS JOIN LATERAL (
            SELECT count(*) FROM requests AS running
            WHERE running.status = 'running' AND running.creator_id = waiting.creator_id
        ) AS running
        CROSS JOIN LATERAL (
            SELECT id, position FROM (
                SELECT id, position, session_id, deadline,
                       row_number() OVER (PARTITION BY session_id ORDER BY position) AS place
                FROM requests
                WHERE status = 'queued' AND creator_id = waiting.creator_id
            ) AS own
            WHERE place = 1 AND deadline > now() AND NOT EXISTS (
                SELECT FROM requests AS running
                WHERE running.status = 'running' AND running.creator_id = waiting.creator_id
                  AND running.session_id = own.session_id
            )
            ORDER BY position LIMIT 2 * CAST(:most AS int)
        ) AS first
    ), turns AS (
        SELECT locked.id FROM (
            SELECT id FROM head WHERE turn <= CAST(:most_running AS int) + 1
            ORDER BY turn, position
        ) AS next CROSS JOIN LATERAL (
            SELECT id FROM requests WHERE id = next.id AND claim_id IS NULL AND seq IS NULL
            FOR UPDATE SKIP LOCKED
        ) AS locked
        LIMIT :most
    )
"""
"""Requests whose turn it is, in turn among users and one of a session at a time.

First comes whose user has least running then, and of those the oldest; none whose user has more
than `most_running`. Users who wait are found one after the other in an index: how much others have
waiting costs nothing. What another bridge is about to claim is left to it: so twice as many are
looked at. Each is locked by its id: an index of all that wait names many that do no more, until it
is vacuumed. So it is not asked for its status, but for what those that wait have none of.
"""
NAMED = "WITH turns AS (SELECT unnest(CAST(:ids AS uuid[])) AS id)"


async def claim_requests(
    connection: Connection, bridge_id: UUID, limit: int, most_running: int = ANY_NUMBER
) -> list[ClaimedRequest]:
    """Claim requests whose turn it is, as `take_requests` does; in the order in which they came."""
    return await _take(connection, bridge_id, TURNS, most=limit, most_running=most_running)


async def take_requests(
    connection: Connection, bridge_id: UUID, request_ids: Sequence[UUID]
) -> list[ClaimedRequest]:
    """Claim those of these that wait for nothing else of their sessions.

    What can be sent as it is is marked as sent, too, one of each user who has none running: it
    comes with all that his agents say of themselves. Of others the files or flows are to be read
    first, the members of a flow that is asked, or why there is no config. Raises
    asyncpg.UniqueViolationError when another bridge won a session in the same moment.
    """
    return await _take(connection, bridge_id, NAMED, ids=[*request_ids])


async def _take(
    connection: Connection, bridge_id: UUID, turns: str, **which: object
) -> list[ClaimedRequest]:
    """One statement: between a message and its sending there is only this.

    Requests are locked by their sessions, as by whoever ends some. `OFFSET 0` has a message found
    by its request alone: with its chat, too, all messages of that were read.
    """
    sql = """
        , named AS (
            SELECT id, creator_id, asked_id, config_name, provider_name, file_ids, position
            FROM requests
            WHERE id = ANY(ARRAY(SELECT id FROM turns)) AND status = 'queued' AND deadline > now()
              AND NOT EXISTS (
                SELECT FROM requests AS before
                WHERE before.session_id = requests.session_id
                  AND (before.status = 'running'
                       OR before.status = 'queued' AND before.position < requests.position)
            )
            ORDER BY session_id, id FOR UPDATE OF requests SKIP LOCKED
        ), known AS (
            SELECT named.*, EXISTS (SELECT FROM usable_flows(creator_id)) AS has_flows,
                   NOT EXISTS (
                       SELECT FROM named AS before
                       WHERE before.creator_id = named.creator_id
                         AND before.position < named.position
                   ) AND NOT EXISTS (
                       SELECT FROM requests AS running
                       WHERE status = 'running' AND running.creator_id = named.creator_id
                   ) AS is_alone
            FROM named
        ), sendable AS (
            SELECT known.id, agents, config.* FROM known CROSS JOIN LATERAL (
                SELECT json_agg(agents) AS agents FROM (
                    SELECT id, alias, description, input_parameters, is_active
                    FROM usable_agents(creator_id)
                    WHERE CASE WHEN asked_id IS NULL THEN is_active ELSE id = asked_id END
                    ORDER BY created_at DESC, id LIMIT :limit
                ) AS agents
            ) AS agents LEFT JOIN LATERAL chosen_config(
                creator_id, config_name, provider_name
            ) AS config ON asked_id IS NULL
            WHERE is_alone AND (asked_id IS NOT NULL OR file_ids = '{}' AND NOT has_flows)
              AND (asked_id IS NOT NULL AND agents IS NOT NULL OR config_id IS NOT NULL)
        ), ready AS (
            SELECT id, provider_id, to_json(sendable) AS sent_with FROM sendable
        ), taken AS (
            UPDATE requests
            SET status = 'running', bridge_id = :bridge_id, claim_id = gen_random_uuid(),
                lease_until = clock_timestamp() + CAST(:lease AS interval),
                claimed_at = now(), provider_id = ready.provider_id,
                sent_at = CASE WHEN ready.id IS NOT NULL THEN now() END
            FROM known LEFT JOIN ready USING (id)
            WHERE requests.id = known.id
            RETURNING requests.id, has_flows, claim_id, session_id, requests.config_name,
                      requests.provider_name, requests.creator_id, requests.file_ids, deadline,
                      requests.position, requests.created_at, traceparent, message_id, overrides,
                      requests.asked_id, has_arguments
        )
        SELECT position, taken.id, claim_id, session_id, creator_id, content AS message,
               taken.config_name, provider_name, file_ids, traceparent, message_id, overrides,
               asked_id, has_arguments, has_flows,
               extract(epoch FROM clock_timestamp() - taken.created_at)::float8 AS waited,
               extract(epoch FROM deadline - clock_timestamp())::float8 AS seconds_left,
               sent_with, (SELECT master_form FROM router_session) AS form,
               extract(epoch FROM now())::bigint AS timestamp
        FROM taken LEFT JOIN ready USING (id) JOIN LATERAL (
            SELECT content, conversation_id FROM chatmessages
            WHERE request_id = taken.id AND sender_type = 'user' OFFSET 0
        ) AS said ON conversation_id = session_id
    """
    values = {
        **which,
        "bridge_id": bridge_id,
        "lease": claim_queries.LEASE,
        "limit": AGENTS_LIMIT,
    }
    rows = [columns(row) for row in await connection.fetch_all(turns + sql, values)]
    return [_taken(**row) for row in sorted(rows, key=itemgetter("position"))]


def _taken(
    position: int, sent_with: dict[str, Any] | None, form: Any, timestamp: int, **row: Any
) -> ClaimedRequest:
    marked = None if sent_with is None else _marked(row["asked_id"], form, timestamp, **sent_with)
    return ClaimedRequest(**row, marked=marked)


def _marked(
    asked_id: UUID | None,
    form: Any,
    timestamp: int,
    agents: Sequence[dict[str, Any]] | None,
    **config: Any,
) -> Marked | Asked:
    if asked_id is not None:
        [asked] = agents or []
        del asked["description"]
        return Asked(True, [Member(type="genai", **{**asked, "id": asked_id})])
    del config["id"]
    ids = {name: UUID(config[name]) for name in ("provider_id", "config_id")}
    chosen = ChosenConfig(**{**config, **ids})
    return Marked(True, chosen, [*map(callable_agent, agents or [])], form, timestamp)
