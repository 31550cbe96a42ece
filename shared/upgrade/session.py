"""The session of a migration: alone, its own, without the limits that its role may have."""

from time import sleep

import psycopg

from shared.postgres.locks import MIGRATION_LOCK
from shared.settings.addresses import postgres_place

TRY_SECONDS = 0.2

POOLER = (
    "a pooler stands before it, and migrations need a session of their own: please set"
    " POSTGRES_HOST and POSTGRES_PORT, or DATABASE_URL, to those of PostgreSQL itself for this"
    " command"
)


class SessionError(Exception):
    """There is no such session to be had here; the text says what to set."""


def settle(connection: psycopg.Connection) -> None:
    """Make sure of it. Raises SessionError."""
    found = connection.execute("SELECT pg_backend_pid()").fetchone()
    if found != (connection.info.backend_pid,):  # a pooler tells of sessions that only it knows
        place = postgres_place(connection.info.host, connection.info.port)
        raise SessionError(f"PostgreSQL at {place}: {POOLER}")
    connection.execute("SET lock_timeout = 0")
    connection.execute("SET statement_timeout = 0")


def await_turn(connection: psycopg.Connection) -> None:
    """Wait until nobody else migrates; nobody does then until the connection closes. Reentrant.

    Not by a statement that waits: whoever migrates may be making an index `CONCURRENTLY`, and that
    waits for the statements of all others.
    """
    query = "SELECT pg_try_advisory_lock(%s)"
    while connection.execute(query, [MIGRATION_LOCK]).fetchone() != (True,):
        sleep(TRY_SECONDS)
