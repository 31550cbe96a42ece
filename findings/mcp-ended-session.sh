#!/usr/bin/env bash
# One would guess: a client that ends its session as the specification wants, by DELETE, costs the
#   server that session alone.
# What happens: a stateful server of mcp 1.9 with anyio 4.16, which its requirements let in, answers
#   the DELETE with 200, and then its reading of that session's closed stream raises, in the task
#   group of all sessions, which ends with it. Every later call of anybody is answered with 500 until
#   the process is started anew. The package's own client sends that DELETE whenever it disconnects.
# Where it matters: whoever visits servers of others with sessions. They tell the package's version
#   as theirs, unless their author has given another; 1.10 and later live on.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
cases="1.9.4/4.12.1 1.9.4/4.16.0 1.10.1/4.16.0"
for each in $cases; do
  "$python" -m venv "$tmp/$each"
  "$tmp/$each/bin/pip" install -qq --disable-pip-version-check mcp=="${each%/*}" anyio=="${each#*/}" \
    pydantic==2.11.10 starlette==0.50.0 sse-starlette==3.0.4 uvicorn==0.38.0
done
cat > "$tmp/server.py" <<'EOF'
import socket

import uvicorn
from mcp.server.fastmcp import FastMCP

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
app = FastMCP("older", log_level="CRITICAL").streamable_http_app()
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run([listener])
EOF
cat > "$tmp/client.py" <<'EOF'
import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_, versions, port = sys.argv
URL = f"http://127.0.0.1:{port}/mcp/"
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
ASKED = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": ASKED}


def call(method, body=None, session=None):
    """The status, and the session that is named."""
    headers = {**HEADERS, **({"Mcp-Session-Id": session} if session else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(URL, data, headers, method=method)) as answer:
            return answer.status, answer.headers["Mcp-Session-Id"]
    except HTTPError as error:
        return error.code, None


first, session = call("POST", INITIALIZE)
ended, _ = call("DELETE", session=session)
again, _ = call("POST", INITIALIZE)
print(f"  mcp/anyio {versions}: a session is made: {first}, ended: {ended}, another is made: {again}")
assert (first, ended, again) == (200, 200, 500 if versions == "1.9.4/4.16.0" else 200)
EOF
for each in $cases; do
  : > "$tmp/port"
  "$tmp/$each/bin/python" -W ignore "$tmp/server.py" > "$tmp/port" 2> "$tmp/log" &
  server=$!
  until [ -s "$tmp/port" ]; do sleep 0.1; done
  "$python" "$tmp/client.py" "$each" "$(cat "$tmp/port")"
  kill "$server"; wait "$server" 2> /dev/null || true; server=""
done
