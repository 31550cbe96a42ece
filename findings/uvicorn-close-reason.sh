#!/usr/bin/env bash
# One would guess: closing a WebSocket with a code tells the client that code, however long the
#   reason; and a handler that returns or raises closes it as well, with 1000 or 1011.
# What happens: a reason of more than 123 bytes, the limit of the protocol, raises in the handler,
#   and the client sees no close frame at all (1006), like a cut cable. The same for a handler that
#   returns or raises without closing. So in both implementations that use websockets.
# Where it matters: front-ends that connect again, or do not, by the code; and reasons with an
#   error's text.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  uvicorn==0.54.0 starlette==1.10.0 websockets==17.4
"$tmp/venv/bin/python" - <<'EOF'
import asyncio
import socket
import warnings
from importlib.metadata import version

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

warnings.simplefilter("ignore")


async def handle(websocket):
    await websocket.accept()
    match websocket.path_params["how"].split():
        case ["reason", "of", length, "bytes"]:
            await websocket.close(4000, "x" * int(length))
        case ["raise"]:
            raise RuntimeError


async def main(implementation):
    seen = {}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = Starlette(routes=[WebSocketRoute("/{how}", handle)])
        server = uvicorn.Server(uvicorn.Config(app, ws=implementation, log_level="critical"))
        serving = asyncio.create_task(server.serve([listening]))
        url = "ws://127.0.0.1:{}/".format(listening.getsockname()[1])
        for how in ("reason of 123 bytes", "reason of 124 bytes", "return", "raise"):
            async with connect(url + how.replace(" ", "%20")) as client:
                try:
                    await client.recv()
                except ConnectionClosed:
                    seen[how] = int(client.close_code)
        server.should_exit = True
        await serving
    print("uvicorn", version("uvicorn"), implementation, "the client sees", seen)
    assert list(seen.values()) == [4000, 1006, 1006, 1006]


for implementation in ("websockets-sansio", "websockets"):
    asyncio.run(main(implementation))
EOF
