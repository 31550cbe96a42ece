"""The partitions of log entries, as time would have left them."""

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, sql


def midnight(connection: "Connection[Any]") -> datetime:
    """Of today, by the clock of the database."""
    query = "SELECT date_trunc('day', timezone('utc', now()))"
    [(found,)] = connection.execute(query).fetchall()
    assert isinstance(found, datetime)
    return found


def partitions(connection: "Connection[Any]") -> dict[str, datetime]:
    """The partitions with an end, the oldest first, and their ends.

    One that is dropped at this very moment has none any more.
    """
    query = "SELECT name, until FROM log_partitions() WHERE until IS NOT NULL ORDER BY until"
    return dict(connection.execute(query))


def add_partition(connection: "Connection[Any]", name: str, begin: int, end: int) -> None:
    """Add one from so many days ago to so many days ago."""
    create = "CREATE TABLE {} (LIKE logs_default INCLUDING ALL)"
    connection.execute(sql.SQL(create).format(sql.Identifier(name)))
    bounds = [sql.Literal(midnight(connection) - timedelta(days=days)) for days in (begin, end)]
    attach = sql.SQL("ALTER TABLE logs ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})")
    connection.execute(attach.format(sql.Identifier(name), *bounds))


def end_in_the_past(connection: "Connection[Any]", days: int) -> None:
    """No service has been there since so many days: the last partition has ended."""
    for name in list(partitions(connection))[1:]:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    connection.execute("ALTER TABLE logs DETACH PARTITION logs_past")
    end = sql.Literal(midnight(connection) - timedelta(days=days))
    attach = "ALTER TABLE logs ATTACH PARTITION logs_past FOR VALUES FROM (MINVALUE) TO ({})"
    connection.execute(sql.SQL(attach).format(end))
