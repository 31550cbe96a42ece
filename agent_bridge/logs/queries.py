"""The statements about log entries."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from shared.domain.frames import LogEntry
from shared.postgres.pool import columns

MILLISECOND = timedelta(milliseconds=1)


@frozen
class LoggedMessage:
    """A message, and its place among all that are stored together."""

    place: int
    log_level: str
    message: str = field(repr=False)


@frozen
class Source:
    """Who logs about what; `agent_id` is None for the master agent."""

    session_id: UUID
    request_id: UUID
    agent_id: UUID | None
    is_verified: bool = False
    """Whether the agent is known to be who it says; else it is for its row to say."""
    messages: list[LoggedMessage] = field(factory=list)


@frozen
class Batch:
    """What a bridge stores together, numbered: a try that seemed to fail may have succeeded."""

    bridge: UUID
    number: int


@frozen
class StoredLog:
    """A log entry, its place in the session, and whose session that is."""

    seq: int
    owner: UUID
    message_id: UUID | None
    entry: LogEntry


@frozen
class GivenSecrets:
    """What the master agent was given for a request that must not show in its logs."""

    request_id: UUID
    provider_id: UUID
    api_key: str | None = field(repr=False)
    metadata: object = field(repr=False)
    credentials: dict[str, Any] = field(repr=False)
    """By the ids of configs."""
    headers: list[dict[str, Any]] = field(repr=False)
    """What the servers are sent that the owner may use, each with its `table` and `id`."""


async def insert_logs(
    connection: Connection, sources: Sequence[Source], master_id: str, batch: Batch
) -> list[StoredLog]:
    """Store those messages that may stand where they want to; of each session in their order.

    None of a batch that is stored already. The request must be of that session. An agent may log
    only into sessions of its creator and while it is verified, the master agent into any; one that
    is shared with another user also into his, while the request runs. One that is at a door logs
    there: what the router says in its name is another's. Sessions are locked in
    order, so that no two statements block each other.

    Whether it may is asked once of each source. Its messages are a piece of the arrays: to join
    them would be to compare each with each.
    """
    sql = """
        WITH first AS (
            INSERT INTO log_batches AS latest (bridge, number) VALUES (:bridge, :number)
            ON CONFLICT (bridge) DO UPDATE SET number = excluded.number, stored_at = now()
                WHERE latest.number < excluded.number
            RETURNING true
        ), source AS (
            SELECT * FROM unnest(
                CAST(:session_ids AS uuid[]), CAST(:request_ids AS uuid[]),
                CAST(:agent_ids AS uuid[]), CAST(:verified AS boolean[]),
                CAST(:begins AS int[]), CAST(:ends AS int[])
            ) WITH ORDINALITY
            AS source (session_id, request_id, agent_id, is_verified, begins, ends, source)
            WHERE EXISTS (SELECT FROM first)
        ), allowed AS (
            SELECT source.*, requests.creator_id, requests.message_id
            FROM source
            JOIN requests ON requests.id = source.request_id
                         AND requests.session_id = source.session_id
            LEFT JOIN agents ON agents.id = source.agent_id
            LEFT JOIN door_connections AS door ON door.agent_id = source.agent_id
            WHERE source.agent_id IS NULL
               OR (agents.creator_id = requests.creator_id
                   OR requests.status = 'running' AND may_use_agent(requests.creator_id, agents.id))
                  AND (source.is_verified
                       OR agents.is_active AND agents.is_verified AND door.agent_id IS NULL)
        ), counted AS (
            SELECT session_id, sum(1 + ends - begins) AS total FROM allowed GROUP BY session_id
        ), locked AS (
            SELECT session_id FROM chatconversations
            WHERE session_id IN (SELECT session_id FROM counted)
            ORDER BY session_id FOR UPDATE
        ), moved AS (
            UPDATE chatconversations AS chat
            SET last_seq = last_seq + total,
                last_event_at = (total - 1) * interval '1 millisecond' + greatest(
                    timezone('utc', clock_timestamp()), last_event_at + interval '1 millisecond')
            FROM locked JOIN counted USING (session_id)
            WHERE chat.session_id = locked.session_id
            RETURNING chat.session_id, last_seq - total AS seq_before,
                      last_event_at - total * interval '1 millisecond' AS time_before
        ), placed AS (
            SELECT * FROM allowed JOIN moved USING (session_id)
        ), numbered AS (
            SELECT placed.*, message.*,
                   row_number() OVER (PARTITION BY session_id ORDER BY place) AS number
            FROM placed CROSS JOIN LATERAL unnest(
                (CAST(:places AS int[]))[begins:ends], (CAST(:levels AS text[]))[begins:ends],
                (CAST(:messages AS text[]))[begins:ends]
            ) AS message (place, log_level, message)
        ), stored AS (
            INSERT INTO logs (session_id, request_id, agent_id, creator_id, created_at, updated_at,
                              message, log_level, seq)
            SELECT session_id, request_id, coalesce(CAST(agent_id AS text), :master_id), creator_id,
                   logged_at, logged_at, message, log_level, seq_before + number
            FROM numbered CROSS JOIN LATERAL (
                SELECT time_before + number * interval '1 millisecond' AS logged_at
            ) AS time
            ORDER BY place
        )
        SELECT source, creator_id AS owner, message_id, seq_before, time_before FROM placed
    """
    ends = [*accumulate(len(each.messages) for each in sources)]
    messages = [message for each in sources for message in each.messages]
    values = {
        "session_ids": [each.session_id for each in sources],
        "request_ids": [each.request_id for each in sources],
        "agent_ids": [each.agent_id for each in sources],
        "verified": [each.is_verified for each in sources],
        "begins": [1, *(end + 1 for end in ends[:-1])],
        "ends": ends,
        "places": [each.place for each in messages],
        "levels": [each.log_level for each in messages],
        "messages": [each.message for each in messages],
        "master_id": master_id,
        "bridge": batch.bridge,
        "number": batch.number,
    }
    stored: dict[UUID, list[tuple[LoggedMessage, Source, Any]]] = {}
    for row in await connection.fetch_all(sql, values):
        source = sources[row["source"] - 1]
        of_session = stored.setdefault(source.session_id, [])
        of_session += ((message, source, row) for message in source.messages)
    return [
        _stored(number, message, source, row, master_id)
        for of_session in stored.values()
        for number, (message, source, row) in enumerate(
            sorted(of_session, key=lambda each: each[0].place), 1
        )
    ]


def _stored(
    number: int, logged: LoggedMessage, source: Source, row: Any, master_id: str
) -> StoredLog:
    """As it was stored: what comes before those of its session is all that was not known here."""
    time = row["time_before"] + number * MILLISECOND
    entry = LogEntry(
        session_id=source.session_id,
        request_id=source.request_id,
        log_level=logged.log_level,
        message=logged.message,
        creator_id=row["owner"],
        agent_id=str(source.agent_id) if source.agent_id else master_id,
        created_at=time,
        updated_at=time,
    )
    return StoredLog(row["seq_before"] + number, row["owner"], row["message_id"], entry)


async def select_last_seqs(
    connection: Connection, session_ids: Iterable[UUID]
) -> list[tuple[UUID, UUID, int]]:
    """Of each of these sessions that is there: its id, its owner and its latest number."""
    sql = """
        SELECT session_id, creator_id, last_seq FROM chatconversations
        WHERE session_id = ANY(CAST(:ids AS uuid[]))
    """
    rows = await connection.fetch_all(sql, {"ids": list(session_ids)})
    return [tuple(row) for row in rows]


async def select_knows_form(connection: Connection) -> bool:
    """Whether the master agent has answered a form of its payload yet."""
    sql = "SELECT EXISTS (SELECT FROM router_session WHERE master_form IS NOT NULL)"
    return bool(await connection.fetch_val(sql))


async def select_secrets(connection: Connection, request_ids: list[UUID]) -> list[GivenSecrets]:
    """The provider's key, its metadata and the credentials of its configs, and what the owner's
    servers are sent, all as stored."""
    sql = """
        SELECT requests.id AS request_id, provider.id AS provider_id, provider.api_key,
               provider.provider_metadata AS metadata, (
                   SELECT coalesce(json_object_agg(id, credentials), '{}') FROM modelconfigs
                   WHERE modelconfigs.provider_id = provider.id
               ) AS credentials, (
                   SELECT coalesce(json_agg(sent), '[]') FROM (
                       SELECT 'mcpservers' AS "table", id, headers, oauth
                       FROM usable_servers(requests.creator_id)
                       WHERE headers IS NOT NULL OR oauth IS NOT NULL
                       UNION ALL
                       SELECT 'a2acards', id, headers, NULL FROM usable_cards(requests.creator_id)
                       WHERE headers IS NOT NULL
                   ) AS sent
               ) AS headers
        FROM requests JOIN modelproviders AS provider ON provider.id = requests.provider_id
        WHERE requests.id = ANY(:request_ids)
    """
    rows = await connection.fetch_all(sql, {"request_ids": request_ids})
    return [GivenSecrets(**columns(row)) for row in rows]
