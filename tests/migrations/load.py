"""What services do with tables that change: chats, in statements that each version has had.

Each is timed, prepared as the services' are, and must succeed.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
from attrs import define, field
from psycopg import Connection

from shared.postgres.poolers import LOCK_SECONDS

USERS, CHATS, LOGS = 200, 10_000, 20  # chats of all users, entries of each
TASKS = 4
SECONDS = 60.0  # which only a test that fails waits
ENTRIES = 5  # logged at once

FILL = (
    """
    INSERT INTO users (id, username, password)
    SELECT md5('user' || n)::uuid, 'user' || n, '-' FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO agents (id, creator_id, alias, name, description, jwt, input_parameters, is_active)
    SELECT id, id, id, 'agent', 'An agent.', id, '{}', true FROM users
    """,
    """
    INSERT INTO chatconversations (session_id, creator_id, title, last_seq)
    SELECT gen_random_uuid(), md5('user' || 1 + n %% %(users)s)::uuid, 'chat', %(logs)s + 1
    FROM generate_series(1, %(chats)s) AS n
    """,
    """
    INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
    SELECT session_id, session_id, creator_id, 'answered', last_seq, now(), now()
    FROM chatconversations
    """,
    """
    INSERT INTO chatmessages (id, request_id, conversation_id, sender_type, content)
    SELECT gen_random_uuid(), session_id, session_id, sender, '{"response": "An answer."}'
    FROM chatconversations, unnest('{user, master_agent}'::sendertype[]) AS sender
    """,
    """
    INSERT INTO files (id, session_id, request_id, creator_id, mimetype, original_name,
                       internal_name, internal_id, from_agent, size)
    SELECT session_id, session_id, session_id, creator_id, 'text/plain', 'a.txt', session_id,
           session_id, false, 3
    FROM chatconversations
    """,
    """
    INSERT INTO logs (session_id, request_id, creator_id, agent_id, message, log_level, seq,
                      created_at)
    SELECT session_id, session_id, creator_id, 'master_server_ml', 'entry ' || seq, 'info', seq,
           now() - (seq + 1) * interval '1 day'
    FROM chatconversations, generate_series(1, %(logs)s) AS seq
    """,
)

ASK = """
    WITH chat AS (
        INSERT INTO chatconversations (session_id, title, creator_id)
        VALUES (%(session)s, 'chat', %(user)s)
        ON CONFLICT (session_id) DO UPDATE SET updated_at = now() RETURNING session_id
    ), question AS (
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
        SELECT gen_random_uuid(), %(request)s, 'user', 'hello', session_id FROM chat
    )
    INSERT INTO requests (id, session_id, creator_id, deadline)
    SELECT %(request)s, session_id, %(user)s, now() FROM chat
"""
START = "UPDATE requests SET status = 'running' WHERE id = %(request)s"
LOG = """
    WITH chat AS (
        UPDATE chatconversations SET last_seq = last_seq + %(entries)s
        WHERE session_id = %(session)s RETURNING last_seq
    )
    INSERT INTO logs (session_id, request_id, creator_id, agent_id, message, log_level, seq,
                      created_at)
    SELECT %(session)s, %(request)s, %(user)s, 'agent', 'entry', 'info',
           last_seq - %(entries)s + number,
           timezone('utc', clock_timestamp()) + make_interval(days => %(days)s)
    FROM chat, generate_series(1, %(entries)s) AS number
"""
ANSWER = """
    WITH chat AS (
        UPDATE chatconversations SET last_seq = last_seq + 1, updated_at = now()
        WHERE session_id = %(session)s RETURNING last_seq
    ), answer AS (
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
        VALUES (gen_random_uuid(), %(request)s, 'master_agent', '{}', %(session)s)
    )
    UPDATE requests SET status = 'answered', ended_at = now(), seq = last_seq
    FROM chat WHERE id = %(request)s
"""
UPLOAD = """
    INSERT INTO files (id, session_id, request_id, creator_id, mimetype, original_name,
                       internal_name, internal_id, from_agent, size)
    VALUES (%(request)s, %(session)s, %(request)s, %(user)s, 'text/plain', 'a.txt', %(request)s,
            %(request)s, false, 3)
"""
REGISTER = "INSERT INTO users (id, username, password) VALUES (%(session)s, %(session)s, '-')"
CHAT = (
    REGISTER,
    "UPDATE agents SET is_active = true WHERE id = %(user)s",
    ASK,
    UPLOAD,
    START,
    LOG,
    LOG,
    ANSWER,
    "SELECT id, jwt FROM agents WHERE creator_id = %(user)s",
    "SELECT seq, message FROM logs WHERE session_id = %(session)s AND seq > 1 ORDER BY seq",
    "SELECT id, message FROM logs WHERE request_id = %(request)s ORDER BY id LIMIT 100",
    """
    SELECT id, content FROM chatmessages
    WHERE conversation_id = %(session)s ORDER BY created_at DESC
    """,
    """
    SELECT session_id, title, created_at, updated_at FROM chatconversations
    WHERE creator_id = %(user)s ORDER BY created_at LIMIT 20
    """,
)


@define
class Load:
    """What was chatted, and how long statements took."""

    chats: int = 0
    times: list[tuple[float, str]] = field(factory=list)
    _counting: Lock = field(factory=Lock)

    def count(self) -> None:
        """One more chat has come to its end."""
        with self._counting:
            self.chats += 1

    def go_on(self) -> None:
        """Return when as many more have as go on at a time, however long that takes here."""
        enough, deadline = self.chats + TASKS, monotonic() + SECONDS
        while self.chats < enough:
            assert monotonic() < deadline, "nobody chats"
            sleep(0.01)

    def longest(self) -> tuple[float, str]:
        """The seconds of the longest statement since this was asked last, and that statement."""
        times, self.times = self.times, []
        return max(times)


def fill(connection: Connection) -> None:
    """Fill an empty database of any version since the requests."""
    values = {"users": USERS, "chats": CHATS, "logs": LOGS}
    with connection.transaction():
        for statement in FILL:
            connection.execute(statement.encode(), values)
    connection.execute("VACUUM (ANALYZE)")


@contextmanager
def chatting(database: str, days: int = 0) -> Iterator[Load]:
    """Have chats go on in the block, whose entries are of so many days ahead."""
    ended, load = Event(), Load()
    with ThreadPoolExecutor(TASKS) as threads:
        tasks = [threads.submit(_chat_on, database, ended, load, days) for _ in range(TASKS)]
        try:
            yield load
        finally:
            ended.set()
        for task in tasks:
            task.result()


def _chat_on(database: str, ended: Event, load: Load, days: int) -> None:
    options = f"-c lock_timeout={LOCK_SECONDS}s -c timezone=UTC"
    with psycopg.connect(database, autocommit=True, options=options) as connection:
        connection.prepare_threshold = 0
        user: UUID
        [user] = connection.execute("SELECT id FROM users ORDER BY random()").fetchone() or ()
        while not ended.wait(0.01):
            ids: dict[str, Any] = {"user": user, "session": uuid4(), "request": uuid4()}
            values = {**ids, "entries": ENTRIES, "days": days}
            for statement in CHAT:
                began = monotonic()
                connection.execute(statement.encode(), values)
                load.times.append((monotonic() - began, statement))
            load.count()
