"""What stands in an installation's database: read, or set as a crash would have left it."""

from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from tests.system import System

type Row = dict[str, Any]


def execute(system: System, statement: LiteralString, *values: object) -> None:
    """Run a statement."""
    with psycopg.connect(system.settings.database_url) as connection:
        connection.execute(statement, values)


def select(system: System, statement: LiteralString, *values: object) -> list[Row]:
    """The rows of a query."""
    with psycopg.connect(system.settings.database_url, row_factory=dict_row) as connection:
        return connection.execute(statement, values).fetchall()


def lock_user(system: System, user_id: str, *, is_locked: bool = True) -> None:
    """Lock a user out, or let him in again, without telling anybody."""
    statement = "UPDATE users SET locked_at = CASE WHEN %s THEN now() END WHERE id = %s"
    execute(system, statement, is_locked, user_id)


def select_logs(system: System, session_id: str) -> list[Row]:
    """The log entries of a session, in order."""
    return select(system, "SELECT * FROM logs WHERE session_id = %s ORDER BY seq", session_id)


def select_requests(system: System, session_id: str) -> list[Row]:
    """The requests of a session, in order."""
    return select(
        system, "SELECT * FROM requests WHERE session_id = %s ORDER BY position", session_id
    )


def insert_left_request(
    system: System, user_id: str, session_id: str, request_id: str, *, was_sent: bool
) -> None:
    """A message whose bridge has died: claimed, perhaps sent, its lease over."""
    execute(
        system,
        "INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, 'left', %s)",
        session_id,
        user_id,
    )
    execute(
        system,
        """
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
        VALUES (gen_random_uuid(), %s, 'user', 'left', %s)
        """,
        request_id,
        session_id,
    )
    execute(
        system,
        """
        INSERT INTO requests
            (id, session_id, creator_id, status, bridge_id, claim_id, lease_until, sent_at,
             deadline)
        VALUES (%s, %s, %s, 'running', gen_random_uuid(), gen_random_uuid(),
                now() - interval '1 second', CASE WHEN %s THEN now() END, now() + interval '1 hour')
        """,
        request_id,
        session_id,
        user_id,
        was_sent,
    )


def leave_request_waiting_too_long(system: System, request_id: str) -> None:
    """Make a request that was left one that nobody claimed before its deadline."""
    execute(
        system,
        """
        UPDATE requests SET status = 'queued', bridge_id = NULL, claim_id = NULL,
                            lease_until = NULL, deadline = now() - interval '1 second'
        WHERE id = %s
        """,
        request_id,
    )
