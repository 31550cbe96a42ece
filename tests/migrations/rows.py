"""Adds rows, with what a test does not care about filled in."""

from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection, sql


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


def insert_user(connection: Connection) -> UUID:
    user = uuid4()
    connection.execute("INSERT INTO users VALUES (%s, %s, 'password')", [user, user.hex])
    return user


def insert_session(connection: Connection, creator: UUID) -> UUID:
    session = uuid4()
    connection.execute(
        "INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, 'chat', %s)",
        [session, creator],
    )
    return session


def insert_request(connection: Connection, session: UUID, **values: object) -> None:
    """Add a request of the session's owner, queued unless `values` say otherwise."""
    insert(
        connection,
        "requests",
        {
            "id": uuid4(),
            "session_id": session,
            "creator_id": select_creator(connection, session),
            "deadline": "tomorrow",
            **values,
        },
    )


def insert_log(connection: Connection, session: UUID, seq: int | None) -> None:
    connection.execute(
        """
        INSERT INTO logs (session_id, request_id, message, log_level, seq)
        VALUES (%s, %s, 'message', 'info', %s)
        """,
        [session, uuid4(), seq],
    )


def insert_agent(connection: Connection, creator: UUID) -> UUID:
    agent = uuid4()
    insert(
        connection,
        "agents",
        {
            "id": agent,
            "alias": agent.hex,
            "name": "agent",
            "description": "of tests",
            "jwt": agent.hex,
            "creator_id": creator,
            "input_parameters": "{}",
            "is_active": True,
        },
    )
    return agent


def insert_config(connection: Connection, creator: UUID, name: str) -> None:
    insert(
        connection,
        "modelconfigs",
        {
            "id": uuid4(),
            "name": name,
            "model": "model",
            "system_prompt": "prompt",
            "max_last_messages": 5,
            "temperature": 0.7,
            "credentials": "{}",
            "creator_id": creator,
        },
    )


def select_creator(connection: Connection, session: UUID) -> UUID:
    row = connection.execute(
        "SELECT creator_id FROM chatconversations WHERE session_id = %s", [session]
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))
