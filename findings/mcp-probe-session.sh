#!/usr/bin/env bash
# One would guess: a client that connects, lists the tools and disconnects leaves nothing behind at
#   the server.
# What happens: before it greets an older server, the client of 2.3 asks it by "server/discover"
#   whether it is a newer one. A stateful server of 1.x makes a session for that question, as for any
#   that comes without one, answers with an error, and names the session in a header, which the
#   client does not read. So each connection makes two sessions and ends one.
# Where it matters: clients that connect again and again, and servers that keep something for each
#   session. mode="legacy" asks nothing; who does not know the server has to end that session itself.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
for release in 1.30.0 2.3.0; do
  "$python" -m venv "$tmp/$release"
  "$tmp/$release/bin/pip" install -qq --disable-pip-version-check mcp=="$release" pydantic==2.14.3
done
cat > "$tmp/server.py" <<'EOF'
import socket
import sys

import uvicorn
from mcp.server.fastmcp import FastMCP

server = FastMCP("older", log_level="CRITICAL")
app = server.streamable_http_app()
seen = {"made": set(), "ended": set()}


async def counting(scope, receive, send):
    async def note(message):
        named = dict(message.get("headers", [])).get(b"mcp-session-id")
        if named is not None:
            seen["made"].add(named)
        await send(message)

    if scope["type"] == "http" and scope["path"] == "/seen":
        body = f"{len(seen['made'])} {len(seen['ended'])}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        return
    if scope["type"] == "http" and scope["method"] == "DELETE":
        seen["ended"].add(dict(scope["headers"])[b"mcp-session-id"])
    await app(scope, receive, note)


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(counting, log_level="critical")).run([listener])
EOF
"$tmp/1.30.0/bin/python" -W ignore "$tmp/server.py" > "$tmp/port" &
server=$!
until [ -s "$tmp/port" ]; do sleep 0.1; done
"$tmp/2.3.0/bin/python" - "$(cat "$tmp/port")" <<'EOF'
import asyncio
import sys
from urllib.request import urlopen

from mcp import Client
from mcp.client.streamable_http import streamable_http_client

host = f"http://127.0.0.1:{sys.argv[1]}"


async def connect(mode):
    before = count()
    for _ in range(10):
        async with Client(streamable_http_client(f"{host}/mcp"), mode=mode) as client:
            await client.list_tools()
    made, ended = (after - one for after, one in zip(count(), before, strict=True))
    print(f"  mode={mode}: 10 connections, {made} sessions made, {ended} ended")
    return made, ended


def count():
    with urlopen(f"{host}/seen") as answer:
        return [int(number) for number in answer.read().split()]


async def main():
    assert await connect("auto") == (20, 10)
    assert await connect("legacy") == (10, 10)


print("a client of mcp 2.3.0 at a server of mcp 1.30.0")
asyncio.run(main())
EOF
