"""The requests that were asked through a publication, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import attrs
from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record

from gateway.published.queries import Published
from gateway.published.tasks import StoredTask
from gateway.requests.schemas import Status
from gateway.web.paging import Page, Slice, select_page
from shared.domain.frames import FileMetadata
from shared.postgres.rows import build

COUNTED_LIMIT = 10_000  # tasks of a list


@frozen(kw_only=True)
class TaskSelection:
    """Which tasks to list: behind a place, those of a session, in a state, changed since."""

    session_id: UUID | None = None
    statuses: Sequence[Status] | None = None
    since: datetime | None = None
    before: tuple[datetime, UUID] | None = None
    with_questions: bool = True
    with_answers: bool = False


async def select_task(
    connection: Connection, published: Published, id_: UUID, most_bytes: int
) -> StoredTask | None:
    """The owner's request that was asked so; without its texts where these have more bytes."""
    sql = """
        WITH task AS (
            SELECT requests.id, session_id, status,
                   coalesce(ended_at, sent_at, requests.created_at) AS changed_at, error,
                   execution_time, coalesce(accepted_seq, 0) AS accepted_seq,
                   requests.seq AS answer_seq, message_id, has_arguments, named,
                   question.content AS question, answer.content AS answer,
                   coalesce(octet_length(question.content), 0)
                       + coalesce(octet_length(answer.content), 0) AS size
            FROM requests
            LEFT JOIN chatmessages AS question
              ON question.request_id = requests.id
             AND question.conversation_id = session_id AND question.sender_type = 'user'
            LEFT JOIN chatmessages AS answer
              ON answer.request_id = requests.id
             AND answer.conversation_id = session_id AND answer.sender_type = 'master_agent'
            WHERE requests.id = :id AND creator_id = :owner AND publication_id = :publication_id
        )
        SELECT id, session_id, status, changed_at, error, execution_time, accepted_seq, answer_seq,
               message_id, has_arguments, named,
               CASE WHEN size <= :most_bytes THEN question END AS question,
               CASE WHEN size <= :most_bytes THEN answer END AS answer, size,
               EXISTS (
                   SELECT FROM file_uses
                   WHERE file_uses.session_id = task.session_id AND request_id = task.id
               ) AS has_files
        FROM task
    """
    values = {
        "id": id_,
        "owner": published.owner,
        "publication_id": published.id,
        "most_bytes": most_bytes,
    }
    row = await connection.fetch_one(sql, values)
    if row is None or not row["has_files"]:
        return _task(row) if row else None
    [task] = await with_files(connection, published.owner, [_task(row)])
    return task


async def select_tasks(
    connection: Connection, published: Published, selection: TaskSelection, part: Slice
) -> Page[StoredTask]:
    """The owner's requests that were asked so, those that changed last first."""
    sql = """
        SELECT requests.id, session_id, status,
               coalesce(ended_at, sent_at, requests.created_at) AS changed_at, error,
               execution_time, coalesce(accepted_seq, 0) AS accepted_seq,
               requests.seq AS answer_seq, message_id, has_arguments, named,
               question.content AS question, answer.content AS answer,
               512 + coalesce(octet_length(question.content), 0)
                   + coalesce(octet_length(answer.content), 0) AS bytes
        FROM requests
        LEFT JOIN chatmessages AS question
          ON :with_questions AND question.request_id = requests.id
         AND question.conversation_id = session_id AND question.sender_type = 'user'
        LEFT JOIN chatmessages AS answer
          ON :with_answers AND answer.request_id = requests.id
         AND answer.conversation_id = session_id AND answer.sender_type = 'master_agent'
        WHERE publication_id = :publication_id AND creator_id = :owner
          AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
          AND (CAST(:statuses AS text[]) IS NULL OR status = ANY(:statuses))
          AND (CAST(:since AS timestamptz) IS NULL
               OR coalesce(ended_at, sent_at, requests.created_at) > :since)
          AND (CAST(:before AS timestamptz) IS NULL
               OR (coalesce(ended_at, sent_at, requests.created_at), requests.id)
                  < (:before, CAST(:before_id AS uuid)))
        ORDER BY coalesce(ended_at, sent_at, requests.created_at) DESC, requests.id DESC
        LIMIT :limit OFFSET :offset
    """
    before, before_id = selection.before or (None, None)
    values = {
        **_filter(published, selection),
        "before": before,
        "before_id": before_id,
        "with_questions": selection.with_questions,
        "with_answers": selection.with_answers,
    }
    return await select_page(connection, sql, values, part, _task)


async def count_tasks(
    connection: Connection, published: Published, selection: TaskSelection
) -> int:
    """How many there are of them all, wherever the list begins; no more than COUNTED_LIMIT."""
    sql = """
        SELECT count(*) FROM (
            SELECT FROM requests
            WHERE publication_id = :publication_id AND creator_id = :owner
              AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
              AND (CAST(:statuses AS text[]) IS NULL OR status = ANY(:statuses))
              AND (CAST(:since AS timestamptz) IS NULL
                   OR coalesce(ended_at, sent_at, created_at) > :since)
            LIMIT :most
        ) AS task
    """
    values = {**_filter(published, selection), "most": COUNTED_LIMIT}
    return int(await connection.fetch_val(sql, values))


def _filter(published: Published, selection: TaskSelection) -> dict[str, object]:
    return {
        "publication_id": published.id,
        "owner": published.owner,
        "session_id": selection.session_id,
        "statuses": selection.statuses,
        "since": selection.since,
    }


async def with_files(
    connection: Connection, owner: UUID, tasks: Sequence[StoredTask]
) -> list[StoredTask]:
    """The tasks with the owner's files that belong to them."""
    sql = """
        SELECT files.id, file_uses.session_id, file_uses.request_id, original_name, mimetype,
               internal_id, internal_name, from_agent, creator_id
        FROM unnest(CAST(:session_ids AS uuid[]), CAST(:request_ids AS uuid[]))
             AS task (session_id, request_id)
        JOIN file_uses USING (session_id, request_id)
        JOIN files ON files.id = file_id
        WHERE creator_id = :owner
        ORDER BY original_name, files.id
    """
    values = {
        "owner": owner,
        "session_ids": [task.session_id for task in tasks],
        "request_ids": [task.id for task in tasks],
    }
    files: defaultdict[UUID | None, list[FileMetadata]] = defaultdict(list)
    for file in build(FileMetadata, await connection.fetch_all(sql, values)):
        files[file.request_id].append(file)
    return [attrs.evolve(task, files=files[task.id]) for task in tasks]


def _task(row: Record) -> StoredTask:
    names = [field.name for field in attrs.fields(StoredTask) if field.name != "files"]
    found = dict(zip(names, row, strict=False))
    return StoredTask(**{**found, "named": found["named"] or {}})
