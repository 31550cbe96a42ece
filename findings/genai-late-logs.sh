#!/usr/bin/env bash
# One would guess: what a handler logs is sent when it logs it, so that somebody can watch a call
#   that takes its time, and in any case before the answer.
# What happens: genai-protocol 2.0.3 keeps all entries until the handler has returned, however long
#   it works, and sends them then. 1.0.9 starts a task for each entry: one that is logged after the
#   last await of the handler is sent after the answer.
# Where it matters: progress that a user shall see; routers and back-ends that take a call as ended
#   when its answer is there.
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
from websockets.asyncio.server import serve

WORKS = 1.0  # seconds


async def main():
    clock = asyncio.get_running_loop().time
    came = {}
    ended = asyncio.Event()

    async def route(socket):
        await socket.recv()
        ids = {"request_id": "a request", "session_id": "a session"}
        await socket.send(json.dumps({"request_payload": {}, "request_metadata": ids}))
        began = clock()
        async for frame in socket:
            told = json.loads(frame)
            came[told.get("log_message") or told["message_type"]] = clock() - began
            if {"agent_response", "begins", "ends"} <= came.keys():
                ended.set()

    async with serve(route, "127.0.0.1", 0) as router:
        url = "ws://127.0.0.1:{}".format(router.sockets[0].getsockname()[1])
        os.environ["ROUTER_WS_URL"] = url  # for the second generation
        is_first = version("genai-protocol").startswith("1.")
        session = GenAISession(ws_url=url) if is_first else GenAISession()

        @session.bind(name="Worker", description="Works")
        async def work(agent_context):
            logger = agent_context.logger
            logger.info("begins")
            await asyncio.sleep(WORKS)
            logger.info("ends")
            return "done"

        agent = asyncio.create_task(session.process_events())
        await asyncio.wait_for(ended.wait(), 10)
        agent.cancel()
    shown = ("begins", "ends", "agent_response")
    print("genai-protocol", version("genai-protocol"))
    print("  came after seconds:", {each: round(came[each], 3) for each in shown})
    order = sorted(shown, key=came.get)
    if is_first:
        assert came["begins"] < WORKS / 2
        assert order == ["begins", "agent_response", "ends"]
    else:
        assert came["begins"] > WORKS * 0.9
        assert order == ["begins", "ends", "agent_response"]


asyncio.run(main())
EOF
done
