"""Work that needs locks, beside services that run: it gives way, and comes again.

Whoever wants a lock after us waits behind us, even for what could be had beside the one who holds
it: were we to wait for a long reader, everybody's messages would. Behind one who waits to change a
table's shape without locking others out nobody does: so an autovacuum, which PostgreSQL ends for
whoever waits a second for it, is waited for like that first.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from random import uniform
from threading import Event, Thread
from time import monotonic, sleep

import psycopg
from attrs import define, field
from psycopg.errors import DeadlockDetected, LockNotAvailable

LOCK_SECONDS = 0.3  # for one lock: others wait behind it, and behind those that are held already
SHAPE_LOCK_SECONDS = 3.0  # for one that locks nobody out; PostgreSQL's deadlock_timeout and more
PATIENCE_SECONDS = 600.0  # in all
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
WATCH_SECONDS = 0.1
CONNECT_SECONDS = 5
SHOWN_HOLDERS = 3

LOCKED_OUT = (LockNotAvailable, DeadlockDetected)

HOLDERS = """
    SELECT format(
        'session %%s (%%s, %%s, its query began at %%s)',
        pid,
        coalesce(nullif(application_name, ''), 'without a name'),
        coalesce(state, 'hidden'),
        coalesce(to_char(query_start, 'YYYY-MM-DD HH24:MI:SS TZ'), 'a time that is hidden')
    )
    FROM unnest(pg_blocking_pids(%s)) AS pid LEFT JOIN pg_stat_activity USING (pid)
    ORDER BY query_start LIMIT %s
"""
WANTED = """
    SELECT pg_class.oid::regclass::text
    FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pid = %s AND NOT granted AND relkind IN ('r', 'p')
"""


class HeldUpError(Exception):
    """A lock was not to be had for too long; the text says who holds it."""


@define
class _Wait:
    """The last time that this session waited: for whom, and for which table, quoted."""

    holders: list[str] = field(factory=list)
    table: str | None = None


def give_way[T](
    database_url: str,
    connection: psycopg.Connection,
    transaction: Callable[[], AbstractContextManager[object]],
    work: Callable[[], T],
    tell: Callable[[str], None],
) -> T:
    """What the work returns, which is done in a transaction of the connection.

    It is taken back where it waits too long for a lock, and done again after a pause; `tell` gets
    a line about each time. Raises HeldUpError.
    """
    end, pause = monotonic() + PATIENCE_SECONDS, PAUSE_SECONDS
    with _watching(database_url, connection.info.backend_pid) as wait:
        while True:
            try:
                with transaction():
                    if wait.table is not None:
                        _limit_waiting(connection, SHAPE_LOCK_SECONDS)
                        lock = f"LOCK TABLE ONLY {wait.table} IN SHARE UPDATE EXCLUSIVE MODE"
                        connection.execute(lock.encode())
                    _limit_waiting(connection, LOCK_SECONDS)
                    return work()
            except LOCKED_OUT:
                held_by = " and ".join(wait.holders) or "a session that has ended since"
            if monotonic() > end:
                raise HeldUpError(
                    f"for {PATIENCE_SECONDS:.0f} seconds a lock was not to be had, last because of"
                    f" {held_by}: please wait for that, or end it, and migrate again"
                )
            tell(f"waiting for {held_by} to give up a lock; others go on meanwhile")
            sleep(pause * uniform(0.5, 1.0))  # noqa: S311 (keeps step with nobody)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _limit_waiting(connection: psycopg.Connection, seconds: float) -> None:
    timeout = f"{seconds * 1000:.0f}ms"
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [timeout])


@contextmanager
def _watching(database_url: str, pid: int) -> Iterator[_Wait]:
    """What this session waited for lately: PostgreSQL knows it only while it waits."""
    ended, wait = Event(), _Wait()

    def watch() -> None:
        if ended.wait(WATCH_SECONDS):
            return
        try:
            with psycopg.connect(
                database_url, autocommit=True, connect_timeout=CONNECT_SECONDS
            ) as connection:
                while not ended.wait(WATCH_SECONDS):
                    found = connection.execute(HOLDERS, [pid, SHOWN_HOLDERS]).fetchall()
                    if found:
                        wait.holders = [description for (description,) in found]
                    wanted = connection.execute(WANTED, [pid]).fetchone()
                    if wanted:
                        [wait.table] = wanted
        except psycopg.Error as fault:  # to migrate, nobody has to be known
            wait.holders = [f"a session that can't be found out ({type(fault).__name__})"]

    thread = Thread(target=watch, name="who holds locks", daemon=True)
    thread.start()
    try:
        yield wait
    finally:
        ended.set()
        thread.join()
