#!/usr/bin/env bash
# One would guess: what an A2A message carries as JSON, data parts and metadata, arrives as it was
#   sent.
# What happens: the 1.x SDK keeps both as protobuf values, which know one kind of number. 5 comes
#   back as 5.0, and integers above 2**53 come back as others, for callers of 1.0 and, through its
#   compatibility layer, for those of 0.3. Strings and booleans survive.
# Where it matters: ids, counts and amounts in data parts; an agent that validates "integer"
#   strictly. Send ids as strings.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  'a2a-sdk[http-server]==1.3.0'
"$tmp/venv/bin/python" - <<'EOF'
import asyncio
import logging
from importlib.metadata import version

import httpx
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard, Message, Role
from starlette.applications import Starlette

SENT = {"count": 5, "id": 9007199254740993, "text": "5", "flag": True}
FOUND = SENT | {"count": 5.0, "id": 9007199254740992.0}
CALLS = {
    "1.0": ("SendMessage", "ROLE_USER", {"data": SENT}),
    "0.3": ("message/send", "user", {"kind": "data", "data": SENT}),
}


class Echo(AgentExecutor):
    async def execute(self, context, events):
        said = context.message
        echo = Message(message_id="2", role=Role.ROLE_AGENT, parts=said.parts)
        echo.metadata.CopyFrom(said.metadata)
        await events.enqueue_event(echo)

    async def cancel(self, context, events): ...


async def main():
    handler = DefaultRequestHandler(Echo(), InMemoryTaskStore(), AgentCard(name="echo"))
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/", enable_v0_3_compat=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        for protocol, (method, role, part) in CALLS.items():
            message = {"messageId": "1", "role": role, "parts": [part], "metadata": SENT}
            call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": message}}
            answer = await http.post("/", json=call, headers={"A2A-Version": protocol})
            result = answer.json()["result"]
            echo = result.get("message", result)
            data, metadata = (sorted(e.items()) for e in (echo["parts"][0]["data"], echo["metadata"]))
            print("protocol", protocol, "sent", SENT)
            print("  came back as data:", data)
            assert repr(data) == repr(metadata) == repr(sorted(FOUND.items()))


logging.disable()  # it warns of the short card
print("a2a-sdk", version("a2a-sdk"))
asyncio.run(main())
EOF
