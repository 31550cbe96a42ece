#!/usr/bin/env bash
# One would guess: an agent that answers two calls at a time logs for each of them, above all where
#   its handler takes agent_context.logger before the first await; and an answer's metadata name the
#   call that it answers.
# What happens: genai-protocol 2.0.3 has one context for all calls, and at the end of each sends what
#   the logger that is in it *now* has kept. Of a call during which another one comes in, no entry is
#   ever sent; how it ended is logged for the other call, which its answer's response_metadata name
#   too. 1.0.9 sends what such a handler has logged.
# Where it matters: agents that wait for something; whoever correlates answers by response_metadata.
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


async def main():
    frames = []
    released = asyncio.Event()
    ended = asyncio.Event()

    async def route(socket):
        await socket.recv()
        for call in ("one", "two"):
            ids = {"request_id": call, "session_id": "a session"}
            invocation = {"request_payload": {"call": call}, "request_metadata": ids}
            await socket.send(json.dumps(invocation))
        async for frame in socket:
            frames.append(json.loads(frame))
            answers = [each for each in frames if each["message_type"] == "agent_response"]
            if len(answers) == 2:
                await asyncio.sleep(0.5)  # nothing more comes
                ended.set()
            elif answers:
                released.set()

    async with serve(route, "127.0.0.1", 0) as router:
        url = "ws://127.0.0.1:{}".format(router.sockets[0].getsockname()[1])
        os.environ["ROUTER_WS_URL"] = url  # for the second generation
        is_first = version("genai-protocol").startswith("1.")
        session = GenAISession(ws_url=url) if is_first else GenAISession()
        second_runs = asyncio.Event()

        @session.bind(name="Worker", description="Works")
        async def work(agent_context, call):
            logger = agent_context.logger
            logger.info(f"word of {call}")
            if call == "one":
                await second_runs.wait()
            else:
                second_runs.set()
                await released.wait()
            return call

        agent = asyncio.create_task(session.process_events())
        await asyncio.wait_for(ended.wait(), 10)
        agent.cancel()
    logged = {
        call: [e["log_message"] for e in frames if e.get("request_id") == call]
        for call in ("one", "two")
    }
    answers = {e["response"]: e for e in frames if e["message_type"] == "agent_response"}
    print("genai-protocol", version("genai-protocol"))
    for call, entries in logged.items():
        print(f"  entries of {call}:", entries)
    assert "word of two" in logged["two"]
    if is_first:
        assert "word of one" in logged["one"]
    else:
        print("  metadata of the answer of one:", answers["one"]["response_metadata"])
        assert logged["one"] == []
        assert answers["one"]["response_metadata"]["request_id"] == "two"


asyncio.run(main())
EOF
done
