#!/usr/bin/env bash
# One would guess: the context that a handler is given belongs to its call.
# What happens: all calls of a connection share one. A call that arrives while another waits gives
#   that one its request_id and session_id, and so its later logs and files. In 2.0.3 they share the
#   logger as well: of two that end at the same time one raises a KeyError after its handler, and is
#   not answered.
# Where it matters: every agent that awaits anything and serves two users. With 1.0.9 a handler can
#   keep its ids and logger in variables before its first await; with 2.0.3 send an agent one call
#   at a time.
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
    ends, ids, second_is_here = asyncio.Queue(), {}, asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, failure: ends.put_nowait(type(failure["exception"]).__name__)
    )

    async def route(socket):
        await socket.recv()  # the agent registers
        for call in ("first", "second"):
            ids_of_call = {"request_id": call}
            frame = {"request_payload": {"call": call}, "request_metadata": ids_of_call}
            await socket.send(json.dumps(frame))
        async for frame in socket:
            if (told := json.loads(frame))["message_type"] == "agent_response":
                ends.put_nowait(f"answer to {told['response']}")

    async with serve(route, "127.0.0.1", 0) as router:
        url = "ws://127.0.0.1:{}".format(router.sockets[0].getsockname()[1])
        os.environ["ROUTER_WS_URL"] = url  # for the second generation
        is_first = version("genai-protocol").startswith("1.")
        session = GenAISession(ws_url=url) if is_first else GenAISession()

        @session.bind(name="Waiter", description="The first call waits for the second")
        async def wait(agent_context, call):
            before = agent_context.request_id
            second_is_here.set() if call == "second" else await second_is_here.wait()
            ids[call] = (before, agent_context.request_id)
            return call

        agent = asyncio.create_task(session.process_events())
        two = sorted([await asyncio.wait_for(ends.get(), 20) for _ in range(2)])
    print("genai-protocol", version("genai-protocol"), "two calls at a time end with:", two)
    print("  request_id in the first call, before and after it waited:", ids["first"])
    assert ids["first"] == ("first", "second")
    both = ["answer to first", "answer to second"]
    assert two == both if is_first else two[0] == "KeyError" and two[1] in both, two


asyncio.run(main())
EOF
done
