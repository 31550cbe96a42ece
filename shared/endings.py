"""How a request ends: in one statement, whoever ends it, and then it is told."""

from uuid import UUID, uuid4

import orjson
from attrs import frozen
from databases.core import Connection

from shared.database import columns
from shared.events import Answer, Response, encode, failure, respond
from shared.files import select_files
from shared.metrics import REQUESTS_ENDED
from shared.news import WAITING_REQUESTS, News, encode_frames, session_channel


@frozen
class Outcome:
    """How a request ended: a status of the requests table, and the answer."""

    status: str
    answer: Answer
    execution_time: float = 0.0

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
class Ended:
    """Where the ending of a request stands in its session."""

    session_id: UUID
    creator_id: UUID
    seq: int
    has_files: bool
    has_next: bool
    """Whether another request of the session waits."""


async def end_request(
    connection: Connection, news: News, request: OpenRequest, outcome: Outcome
) -> bool:
    """End a request and tell its session; False: it has changed, or ended already."""
    ended = await _update_request(connection, request, outcome)
    if ended is None:
        return False
    REQUESTS_ENDED.labels(outcome.status).inc()
    of = ended.creator_id, ended.session_id
    files = await select_files(connection, *of, [request.id]) if ended.has_files else []
    response = Response(
        is_success=outcome.error is None,
        execution_time=outcome.execution_time,
        response=outcome.answer,
        request_id=request.id,
        session_id=ended.session_id,
        files=files,
    )
    frame = encode(respond(ended.seq, response, outcome.error))
    news.publish(
        session_channel(ended.session_id, ended.creator_id), encode_frames(ended.seq, [frame])
    )
    if ended.has_next:
        news.publish(WAITING_REQUESTS, b"")  # it may start, anywhere
    return True


async def _update_request(
    connection: Connection, request: OpenRequest, outcome: Outcome
) -> Ended | None:
    """Store an ending and its answer, or None: the request is not as expected.

    One statement: the row is locked and compared first, so only one ending of several wins; the
    session's number and the chat message come with it or not at all.
    """
    sql = """
        WITH locked AS (
            SELECT id, session_id, creator_id FROM requests
            WHERE id = :id AND status = :from_status
              AND claim_id IS NOT DISTINCT FROM CAST(:claim_id AS uuid)
            FOR UPDATE
        ), session AS (
            UPDATE chatconversations AS chat
            SET last_seq = last_seq + 1,
                last_event_at = greatest(
                    timezone('utc', clock_timestamp()), last_event_at + interval '1 millisecond')
            FROM locked WHERE chat.session_id = locked.session_id
            RETURNING chat.session_id, last_seq, last_event_at
        ), answer AS (
            INSERT INTO chatmessages
                (id, request_id, sender_type, content, created_at, updated_at, conversation_id)
            SELECT CAST(:message_id AS uuid), :id, 'master_agent', :content,
                   last_event_at, last_event_at, session_id
            FROM session
        )
        UPDATE requests
        SET status = :status, ended_at = now(), execution_time = :execution_time,
            error = :error, seq = session.last_seq
        FROM session WHERE requests.id = :id
        RETURNING requests.session_id, requests.creator_id, requests.seq,
                  EXISTS (SELECT FROM files WHERE files.request_id = requests.id) AS has_files,
                  EXISTS (
                      SELECT FROM requests AS next
                      WHERE next.session_id = requests.session_id AND next.status = 'queued'
                  ) AS has_next
    """
    values = {
        "id": request.id,
        "from_status": request.status,
        "claim_id": request.claim_id,
        "status": outcome.status,
        "message_id": uuid4(),
        "content": orjson.dumps(outcome.answer).decode(),
        "execution_time": outcome.execution_time,
        "error": outcome.error,
    }
    row = await connection.fetch_one(sql, values)
    return Ended(**columns(row)) if row else None
