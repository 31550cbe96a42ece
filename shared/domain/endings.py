"""How requests end: in one statement, whoever ends them, and then it is told."""

from collections.abc import Sequence
from time import monotonic
from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection

from shared.codec.text import write_json
from shared.domain.files import select_files
from shared.domain.frames import Answer, Response, encode, failure, respond
from shared.domain.usage import Usage, UsedBy, add_usage
from shared.notifications.channels import WAITING_REQUESTS, session_channel
from shared.notifications.formats import Request, encode_frames, encode_waiting
from shared.notifications.holding import Publisher
from shared.postgres.pool import columns, transaction
from shared.telemetry.metrics import REQUESTS_ENDED


@frozen
class Moments:
    """When something of a request happened, by the clock of this process; None: it has not."""

    composed: float | None = None
    """What is sent was ready."""
    first_part: float | None = None
    """The first part of the answer came."""
    last_part: float | None = None


@frozen
class Outcome:
    """How a request ended: a status of the requests table, and the answer."""

    status: str
    answer: Answer
    execution_time: float = 0.0
    usage: Sequence[Usage] = ()
    moments: Moments = Moments()

    @property
    def error(self) -> str | None:
        """The reason, unless the master agent answered."""
        return None if self.status == "answered" else str(self.answer["response"])


def failed(reason: str, status: str = "failed", execution_time: float = 0.0) -> Outcome:
    """An outcome that tells the sender what went wrong."""
    return Outcome(status, failure(reason), execution_time)


@frozen
class OpenRequest:
    """A request as somebody last saw it: it is ended only while it is still so."""

    id: UUID
    status: str
    claim_id: UUID | None


@frozen
class Ending:
    """A request, and what it ends with."""

    request: OpenRequest
    outcome: Outcome


@frozen
class Ended:
    """Where the ending of a request stands in its session."""

    id: UUID
    claim_id: UUID | None
    session_id: UUID
    creator_id: UUID
    message_id: UUID | None
    seq: int
    has_files: bool
    has_next: bool
    """Whether another request of the session waits."""


async def end_request(
    connection: Connection, notifications: Publisher, request: OpenRequest, outcome: Outcome
) -> bool:
    """End a request and tell its session; False: it has changed, or ended already."""
    [ended] = await end_requests(connection, notifications, [Ending(request, outcome)])
    return ended is not None


async def end_requests(
    connection: Connection, notifications: Publisher, endings: Sequence[Ending]
) -> list[Ended | None]:
    """End requests of different sessions, and tell each; None for those that were not ended."""
    if not endings:
        return []
    ended = await _store(connection, endings)
    for ending, each in zip(endings, ended, strict=True):
        if each is not None:
            REQUESTS_ENDED.labels(ending.outcome.status).inc()
            await _notify(connection, notifications, ending, each)
    return ended


async def _store(connection: Connection, endings: Sequence[Ending]) -> list[Ended | None]:
    """One statement; a second one in its transaction where something was used."""
    if not any(ending.outcome.usage for ending in endings):
        return await _update_requests(connection, endings)
    async with transaction(connection):
        ended = await _update_requests(connection, endings)
        used = [
            UsedBy(each.id, each.creator_id, usage)
            for ending, each in zip(endings, ended, strict=True)
            if each is not None
            for usage in ending.outcome.usage
        ]
        await add_usage(connection, used)
    return ended


async def _notify(
    connection: Connection, notifications: Publisher, ending: Ending, ended: Ended
) -> None:
    request_id, outcome = ending.request.id, ending.outcome
    of = ended.creator_id, ended.session_id
    files = await select_files(connection, *of, [request_id]) if ended.has_files else []
    response = Response(
        is_success=outcome.error is None,
        execution_time=outcome.execution_time,
        response=outcome.answer,
        request_id=request_id,
        session_id=ended.session_id,
        files=files,
    )
    frame = encode(respond(ended.seq, response, outcome.error))
    notifications.publish(
        session_channel(ended.session_id, ended.creator_id),
        encode_frames(ended.seq, [frame], Request(request_id, ended.message_id), is_answered=True),
    )
    if ended.has_next:
        notifications.publish(WAITING_REQUESTS, encode_waiting(None))  # it may start, anywhere


async def _update_requests(connection: Connection, endings: Sequence[Ending]) -> list[Ended | None]:
    """Store endings and their answers; None for a request that is not as expected.

    One statement: each row is locked and compared first, so only one ending of several wins; the
    session's number and the chat message come with it or not at all. Requests are locked by their
    sessions, and each of these after its requests, so that no two statements block each other.
    """
    sql = """
        WITH locked AS (
            SELECT ending.*, session_id, chat.creator_id, last_seq + 1 AS seq, greatest(
                       timezone('utc', clock_timestamp()), last_event_at + interval '1 millisecond'
                   ) AS said_at
            FROM unnest(
                CAST(:id AS uuid[]), CAST(:claim_id AS uuid[]), CAST(:from_status AS text[]),
                CAST(:status AS text[]), CAST(:answer_id AS uuid[]), CAST(:content AS text[]),
                CAST(:execution_time AS float8[]), CAST(:error AS text[]),
                CAST(:since_composed AS float8[]), CAST(:since_first_part AS float8[]),
                CAST(:since_last_part AS float8[])
            ) AS ending (
                id, claim_id, from_status, status, answer_id, content, execution_time, error,
                since_composed, since_first_part, since_last_part
            ) JOIN requests ON requests.id = ending.id
            JOIN chatconversations AS chat USING (session_id)
            WHERE requests.status = from_status
              AND requests.claim_id IS NOT DISTINCT FROM ending.claim_id
            ORDER BY session_id, ending.id FOR UPDATE OF requests, chat
        ), session AS (
            UPDATE chatconversations
            SET last_seq = locked.seq, updated_at = timezone('utc', clock_timestamp()),
                last_event_at = said_at
            FROM locked WHERE chatconversations.session_id = locked.session_id
        ), answer AS (
            INSERT INTO chatmessages
                (id, request_id, sender_type, content, created_at, updated_at, conversation_id,
                 owner_id)
            SELECT answer_id, id, 'master_agent', content, said_at, said_at, session_id, creator_id
            FROM locked
        )
        UPDATE requests
        SET status = locked.status, ended_at = now(), execution_time = locked.execution_time,
            error = locked.error, seq = locked.seq,
            composed_at = now() - since_composed * interval '1 second',
            first_part_at = now() - since_first_part * interval '1 second',
            last_part_at = now() - since_last_part * interval '1 second'
        FROM locked WHERE requests.id = locked.id
        RETURNING requests.id, requests.claim_id, requests.session_id,
                  requests.creator_id, requests.message_id, requests.seq,
                  EXISTS (
                      SELECT FROM file_uses
                      WHERE file_uses.session_id = requests.session_id
                        AND file_uses.request_id = requests.id
                  ) AS has_files,
                  EXISTS (
                      SELECT FROM requests AS next
                      WHERE next.session_id = requests.session_id AND next.status = 'queued'
                  ) AS has_next
    """
    requests = [each.request for each in endings]
    values = [*map(_values, endings)]
    # Not as JSON: PostgreSQL expects a hundred rows of it, and would read a whole table for them.
    arrays = {name: [each[name] for each in values] for name in values[0]}
    rows = await connection.fetch_all(sql, arrays)
    ended = [Ended(**columns(row)) for row in rows]
    # By claim too: a request may be here twice, by one that was lost and by the one that holds.
    found = {(each.id, each.claim_id): each for each in ended}
    return [found.get((each.id, each.claim_id)) for each in requests]


def _values(ending: Ending) -> dict[str, object]:
    request, outcome = ending.request, ending.outcome
    return {
        "id": request.id,
        "claim_id": request.claim_id,
        "from_status": request.status,
        "status": outcome.status,
        "answer_id": uuid4(),
        "content": write_json(outcome.answer).decode(),
        "execution_time": outcome.execution_time,
        "error": outcome.error,
        "since_composed": _since(outcome.moments.composed),
        "since_first_part": _since(outcome.moments.first_part),
        "since_last_part": _since(outcome.moments.last_part),
    }


def _since(moment: float | None) -> float | None:
    return None if moment is None else monotonic() - moment
