"""What is asked, stored in PostgreSQL: messages and their requests."""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import attrs
from attrs import frozen
from databases.core import Connection

from gateway.streams.questions import Question
from shared.postgres.pool import columns, transaction


class Acceptance(Enum):
    """What became of a message."""

    STORED = "stored"
    TOO_MANY_OPEN = "too many open"
    BUDGET_SPENT = "budget spent"
    GROUP_BUDGET_SPENT = "group budget spent"
    FOREIGN_SESSION = "foreign session"
    REPEATED = "repeated"
    BUSY = "busy"
    """Not yet: somebody else writes to its chat, and it was not to wait."""


@frozen
class Bounds:
    """What a user may have open at a time, and spend in a month in USD; 0 means any number."""

    most_open: int = 0
    budget: float = 0.0
    """Of those who have none of their own."""


@frozen
class Repeated:
    """A request whose message came again, where its frames begin, and the seq of its answer.

    None: that is to come.
    """

    request_id: UUID
    accepted_seq: int
    answer_seq: int | None


@frozen
class Inserted:
    """What became of a message; the `seq` is that of its session then, where it was stored."""

    acceptance: Acceptance
    seq: int = 0
    first: Repeated | None = None
    """What its message has begun before, where it is repeated and that is known."""


@frozen
class NewRequest:
    """A message that was accepted, and what it needs to be answered."""

    question: Question
    timeout: timedelta
    """How long from now; by the database's clock, as everything that others compare."""
    traceparent: str | None = None


_APART = {"user_id", "overrides", "history"}  # from how a question is stored as it is
_STORED = [each.name for each in attrs.fields(Question) if each.name not in _APART]


async def insert_request(connection: Connection, new: NewRequest, bounds: Bounds) -> Inserted:
    """Store a message, what came before it, and the request to answer it.

    Not beyond the bounds of its owner. A message whose id the session has already leaves no trace.
    """
    if not new.question.history:
        return await _insert_request(connection, new, bounds)
    async with transaction(connection):
        inserted = await _insert_request(connection, new, bounds)
        if inserted.acceptance is Acceptance.STORED:
            await _insert_history(connection, new.question)
        return inserted


async def _insert_request(connection: Connection, new: NewRequest, bounds: Bounds) -> Inserted:
    try:
        [inserted] = await insert_requests(connection, [new], bounds)
    except asyncpg.UniqueViolationError:  # the same message was stored at the same moment
        return Inserted(Acceptance.REPEATED)
    return inserted


async def insert_requests(
    connection: Connection, new: Sequence[NewRequest], bounds: Bounds, *, waits: bool = True
) -> list[Inserted]:
    """Store messages and their requests, without what came before them.

    One statement: chats, messages, files and requests are there together or not at all. The chats'
    rows are locked first, so that the requests of a session stand in the order of their messages,
    which are a millisecond apart; then files; both in order. A trigger adds these to the session's,
    and takes them from no other: messages with the same files are not to be stored together.
    Statements at the same moment don't see each other's: a few more than `most_open` can get in,
    as many as there are connections. What was spent is added up only where there is a budget.
    Without `waits` those of chats that somebody else writes to are left out: they are busy.
    What is asked is one value, so that the plan for any other is as good: it is made once.
    Raises asyncpg.UniqueViolationError where one of them was stored at the same moment, and
    asyncpg.CardinalityViolationError where two owners begin the same chat.
    """
    sql = """
        WITH asked AS (
            SELECT * FROM ROWS FROM (json_to_recordset(CAST(:asked AS json)) AS (
                owner uuid, session_id uuid, message text, config_name text, provider_name text,
                file_ids uuid[], message_id uuid, request_id uuid, asked_id uuid,
                has_arguments boolean, origin text, publication_id uuid, named jsonb, title text,
                overrides jsonb, seconds float8, traceparent text, question_id uuid,
                most_open int, budget float8, waits boolean
            )) WITH ORDINALITY AS asked (
                owner, session_id, message, config_name, provider_name, file_ids, message_id,
                request_id, asked_id, has_arguments, origin, publication_id, named, title,
                overrides, seconds, traceparent, question_id, most_open, budget, waits,
                place
            )
        ), known AS (
            SELECT asked.*, first.*, begun.*, first_id IS NOT NULL OR message_id IS NOT NULL
                   AND row_number() OVER (PARTITION BY session_id, message_id ORDER BY place) > 1
                   AS is_repeated
            FROM asked LEFT JOIN LATERAL (
                SELECT true AS is_begun, creator_id AS begun_by
                FROM chatconversations WHERE session_id = asked.session_id LIMIT 1
            ) AS begun ON true LEFT JOIN LATERAL (
                SELECT id AS first_id, coalesce(accepted_seq, 0) AS first_accepted_seq,
                       seq AS first_answer_seq
                FROM requests WHERE session_id = asked.session_id
                AND message_id = asked.message_id AND creator_id = owner LIMIT 1
            ) AS first ON true
        ), room AS (
            SELECT known.*, CASE
                WHEN is_repeated THEN 'repeated'
                WHEN most_open <> 0 AND open + row_number()
                    OVER (PARTITION BY owner, is_repeated ORDER BY place) > most_open
                    THEN 'too many open'
                WHEN CASE WHEN usd > 0 THEN spent_this_month(owner) >= usd END
                    THEN 'budget spent'
                WHEN (
                    SELECT true FROM group_members AS own CROSS JOIN LATERAL (
                        SELECT usd FROM budgets WHERE group_id = own.group_id OFFSET 0
                    ) AS common
                    WHERE own.user_id = owner AND role <> 'invited' AND common.usd > 0
                      AND spent_by_group_this_month(own.group_id) >= common.usd
                    LIMIT 1
                ) THEN 'group budget spent'
                WHEN is_begun AND begun_by IS DISTINCT FROM owner THEN 'foreign session'
            END AS lack
            FROM known CROSS JOIN LATERAL (
                SELECT count(*) AS open FROM requests
                WHERE creator_id = owner AND status IN ('queued', 'running')
            ) AS requests CROSS JOIN LATERAL (
                SELECT coalesce((SELECT usd FROM budgets WHERE user_id = owner), budget) AS usd
                OFFSET 0
            ) AS allowed
        ), free AS (
            SELECT session_id FROM chatconversations
            WHERE session_id IN (SELECT session_id FROM room WHERE lack IS NULL)
            ORDER BY session_id FOR UPDATE SKIP LOCKED
        ), fit AS (
            SELECT room.*, timezone('utc', clock_timestamp()) AS moment, interval '1 millisecond'
                   * (row_number() OVER (PARTITION BY session_id, owner ORDER BY place DESC) - 1)
                   AS after
            FROM room WHERE lack IS NULL AND (
                waits OR is_begun IS NULL OR session_id IN (SELECT session_id FROM free)
            )
        ), chat AS (
            INSERT INTO chatconversations
                (session_id, title, creator_id, origin, updated_at, last_event_at)
            SELECT DISTINCT ON (session_id, owner)
                   session_id, title, owner, origin, moment, moment + after
            FROM fit ORDER BY session_id, owner, place
            ON CONFLICT (session_id) DO UPDATE SET updated_at = excluded.updated_at,
                last_event_at = greatest(excluded.last_event_at,
                    chatconversations.last_event_at + interval '1 millisecond'
                    + (excluded.last_event_at - excluded.updated_at))
            WHERE chatconversations.creator_id = excluded.creator_id
            RETURNING session_id, creator_id, last_event_at, last_seq
        ), kept AS (
            SELECT fit.*, last_seq, last_event_at - after AS said_at
            FROM fit JOIN chat USING (session_id) WHERE owner = chat.creator_id
        ), question AS (
            INSERT INTO chatmessages
                (id, request_id, sender_type, content, created_at, updated_at, conversation_id,
                 owner_id)
            SELECT question_id, request_id, 'user', message, said_at, said_at, session_id, owner
            FROM kept
        ), attached AS (
            SELECT files.id, kept.session_id, kept.request_id
            FROM kept JOIN files ON files.id = ANY(file_ids) AND creator_id = owner
            ORDER BY files.id FOR UPDATE OF files
        ), marked AS (
            UPDATE files SET session_id = attached.session_id, request_id = attached.request_id
            FROM attached WHERE files.id = attached.id
        ), request AS (
            INSERT INTO requests
                (id, session_id, creator_id, config_name, provider_name, file_ids, deadline,
                 message_id, traceparent, accepted_seq, overrides, asked_id, has_arguments,
                 publication_id, named)
            SELECT request_id, session_id, owner, config_name, provider_name, file_ids,
                   now() + seconds * interval '1 second', message_id, traceparent, last_seq,
                   overrides, asked_id, has_arguments, publication_id, named
            FROM kept ORDER BY place
            RETURNING id, accepted_seq
        )
        SELECT CASE WHEN request.id IS NOT NULL THEN 'stored'
                    WHEN room.lack IS NOT NULL THEN room.lack
                    WHEN fit.place IS NULL THEN 'busy' ELSE 'foreign session' END AS acceptance,
               coalesce(accepted_seq, 0) AS seq, room.first_id, room.first_accepted_seq,
               room.first_answer_seq
        FROM room LEFT JOIN fit USING (place) LEFT JOIN request ON request.id = room.request_id
        ORDER BY place
    """
    asked = [{**_values(each), **attrs.asdict(bounds), "waits": waits} for each in new]
    rows = await connection.fetch_all(sql, {"asked": asked})
    return [_inserted(*row) for row in rows]


def _inserted(acceptance: str, seq: int, first_id: UUID | None, *seqs: Any) -> Inserted:
    first = None if first_id is None else Repeated(first_id, *seqs)
    return Inserted(Acceptance(acceptance), seq, first)


def _values(new: NewRequest) -> dict[str, object]:
    question = new.question
    return {
        **{name: getattr(question, name) for name in _STORED},
        "owner": question.user_id,
        "title": question.title,
        "overrides": question.overrides.as_json(),
        "seconds": new.timeout.total_seconds(),
        "traceparent": new.traceparent,
        "question_id": uuid4(),
    }


async def _insert_history(connection: Connection, question: Question) -> None:
    """Store what came before the first message of a chat, a millisecond apart."""
    sql = """
        INSERT INTO chatmessages
            (id, sender_type, content, created_at, updated_at, conversation_id, owner_id)
        SELECT gen_random_uuid(), CAST(sender_type AS sendertype), content, said_at, said_at,
               session_id, creator_id
        FROM chatconversations CROSS JOIN LATERAL (
            SELECT sender_type, content,
                   last_event_at - (count(*) OVER () - place + 1) * interval '1 millisecond'
                       AS said_at
            FROM unnest(CAST(:types AS text[]), CAST(:contents AS text[]))
                 WITH ORDINALITY AS past (sender_type, content, place)
        ) AS past
        WHERE session_id = :session_id AND creator_id = :owner AND NOT EXISTS (
            SELECT FROM chatmessages
            WHERE conversation_id = :session_id AND request_id IS DISTINCT FROM :request_id
        )
    """
    values = {
        "types": [past.sender_type for past in question.history],
        "contents": [past.content for past in question.history],
        "session_id": question.session_id,
        "owner": question.user_id,
        "request_id": question.request_id,
    }
    await connection.execute(sql, values)


async def select_repeated(connection: Connection, repeated: Question) -> Repeated | None:
    """The request that the same message has begun before; None: its chat was deleted just now."""
    sql = """
        SELECT id AS request_id, coalesce(accepted_seq, 0) AS accepted_seq, seq AS answer_seq
        FROM requests
        WHERE creator_id = :owner AND session_id = :session_id AND message_id = :message_id
    """
    values = {
        "owner": repeated.user_id,
        "session_id": repeated.session_id,
        "message_id": repeated.message_id,
    }
    row = await connection.fetch_one(sql, values)
    return Repeated(**columns(row)) if row else None
