#!/usr/bin/env bash
# One would guess: an agent that returns a pydantic model gives its caller what the same dict would
#   give.
# What happens: every result is put under "response" in the frame, except a model: its fields become
#   the frame's own. The caller's session.send() reports a success whose response is an empty
#   string, and a field with the name of one of the frame's, like execution_time, is lost. So in
#   both generations.
# Where it matters: agents written with typed results; routers and master agents that read
#   "response".
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
for release in 1.0.9 2.0.3; do
  "$python" -m venv "$tmp/$release"
  "$tmp/$release/bin/pip" install -qq --disable-pip-version-check \
    genai-protocol=="$release" websockets==17.4 pydantic==2.14.3
  "$tmp/$release/bin/python" - 2>/dev/null <<'EOF'
import asyncio
import json
import os
from importlib.metadata import version

from genai_session.session import GenAISession
from pydantic import BaseModel
from websockets.asyncio.server import serve


class Weather(BaseModel):
    city: str
    execution_time: str


async def main():
    answered = asyncio.get_running_loop().create_future()

    async def route(socket):
        if "agent_invoke" in await socket.recv():  # from a caller, who gets what the agent answers
            return await socket.send(json.dumps(await answered))
        await socket.send(json.dumps({"request_payload": {}, "request_metadata": {}}))
        async for frame in socket:
            if (told := json.loads(frame))["message_type"] == "agent_response":
                answered.set_result(told)

    async with serve(route, "127.0.0.1", 0) as router:
        url = "ws://127.0.0.1:{}".format(router.sockets[0].getsockname()[1])
        os.environ["ROUTER_WS_URL"] = url  # for the second generation
        is_first = version("genai-protocol").startswith("1.")
        session = GenAISession(ws_url=url) if is_first else GenAISession()

        @session.bind(name="Weather", description="Tells the weather")
        async def tell(agent_context):
            return Weather(city="Oslo", execution_time="at noon")

        agent = asyncio.create_task(session.process_events())
        got = await session.send({}, "an agent")
    frame = await answered
    print("genai-protocol", version("genai-protocol"), "frame:", frame)
    print("  session.send():", got.is_success, repr(got.response))
    assert frame["city"] == "Oslo" and "response" not in frame
    assert isinstance(frame["execution_time"], float)
    assert got.is_success and got.response == ""


asyncio.run(main())
EOF
done
