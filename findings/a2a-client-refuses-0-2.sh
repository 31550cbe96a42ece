#!/usr/bin/env bash
# One would guess: the 1.x SDK's client, which reads cards of older versions and speaks with agents
#   of 0.3, calls agents of 0.2 too, or says that they are too old.
# What happens: it reads the card, and refuses with "no compatible transports found": it chooses
#   among interfaces of 0.3 and later, or of no version. Told that the same agent speaks 0.3, it
#   calls it and is answered: what is said over JSON-RPC is the same.
# Where it matters: agents of 0.2.6 to 0.2.16 of the SDK, which put their version on the card; those
#   before put none, and can be called. State 0.3 in place of 0.2 for them.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
for each in server client; do "$python" -m venv "$tmp/$each"; done
"$tmp/server/bin/pip" install -qq --disable-pip-version-check \
  'a2a-sdk==0.2.16' 'uvicorn==0.54.0' 'starlette==1.10.0' 'sse-starlette==3.0.2'
"$tmp/client/bin/pip" install -qq --disable-pip-version-check 'a2a-sdk==1.3.0'
cat >"$tmp/agent.py" <<'EOF'
import sys

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard
from a2a.utils import new_agent_text_message

port = int(sys.argv[1])


class Echo(AgentExecutor):
    async def execute(self, context, events):
        await events.enqueue_event(new_agent_text_message(context.get_user_input()))

    async def cancel(self, context, events): ...


card = AgentCard(
    name="echo",
    description="Echoes",
    url=f"http://127.0.0.1:{port}/",
    version="1",
    capabilities=AgentCapabilities(streaming=False),
    default_input_modes=["text"],
    default_output_modes=["text"],
    skills=[],
)
handler = DefaultRequestHandler(Echo(), InMemoryTaskStore())
app = A2AStarletteApplication(agent_card=card, http_handler=handler).build()
uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
EOF
port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$tmp/server/bin/python" -W ignore "$tmp/agent.py" "$port" & server=$!
"$tmp/client/bin/python" - "$port" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import httpx
from a2a.client import ClientFactory
from a2a.client.card_resolver import parse_agent_card
from a2a.helpers import get_stream_response_text, new_text_message
from a2a.types import Role, SendMessageRequest

URL = f"http://127.0.0.1:{sys.argv[1]}/.well-known/agent.json"


async def read_card():
    async with httpx.AsyncClient() as http:
        for _ in range(200):
            try:
                return parse_agent_card((await http.get(URL)).json())
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
    raise SystemExit("the agent does not answer")


async def main():
    card = await read_card()
    [interface] = card.supported_interfaces
    print("the card says", interface.protocol_version)
    assert interface.protocol_version == "0.2.6"
    try:
        ClientFactory().create(card)
    except ValueError as error:
        print("  refused:", error)
        assert str(error) == "no compatible transports found."
    else:
        raise SystemExit("it is taken now")
    interface.protocol_version = "0.3"
    message = new_text_message("hello", role=Role.ROLE_USER)
    async with ClientFactory().create(card) as client:
        async for answer in client.send_message(SendMessageRequest(message=message)):
            print("  as 0.3 it answers:", get_stream_response_text(answer))
            assert get_stream_response_text(answer) == "hello"


print("a2a-sdk", version("a2a-sdk"))
asyncio.run(main())
EOF
