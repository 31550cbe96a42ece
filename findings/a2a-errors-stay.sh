#!/usr/bin/env bash
# One would guess: a call that an A2A server refuses leaves nothing behind once it is answered; and
#   OTEL_INSTRUMENTATION_A2A_SDK_ENABLED=false takes the package's tracing out of the way.
# What happens: the wrapper around each method of the dispatchers keeps the error in a local variable,
#   and the error's traceback keeps that frame: a cycle, which holds the request with its headers
#   and body until the garbage collector comes by. With tracing switched off the wrapper stays, and
#   so does the cycle. Calls that succeed leave nothing.
# Where it matters: servers that tune the collector to come seldom, and whose callers may send what is
#   refused as often as they like. Each refused call stays with all that it sent, its token too.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  "a2a-sdk[http-server]==1.3.0" opentelemetry-api==1.45.2
cat >"$tmp/calls.py" <<'PY'
import asyncio
import gc
import json
import logging
from importlib.metadata import version

from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.types import Task
from a2a.utils.errors import TaskNotFoundError
from starlette.requests import Request

logging.disable()
CALLS = 20


async def get_task(self, params, context):
    if params.id == "unknown":
        raise TaskNotFoundError
    return Task(id=params.id)


# All other operations are there, and never called.
methods = dict.fromkeys(RequestHandler.__abstractmethods__, get_task)
dispatcher = JsonRpcDispatcher(type("Handler", (RequestHandler,), methods)())


async def call(task_id):
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": task_id}}

    async def receive():
        return {"type": "http.request", "body": json.dumps(body).encode()}

    headers = [(b"a2a-version", b"1.0"), (b"authorization", b"Bearer secret")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    answered = await dispatcher.handle_requests(Request(scope, receive))
    return "result" in json.loads(answered.body)


async def main():
    await call("known"), await call("unknown")
    left = {}
    for task_id in ("known", "unknown"):
        gc.collect()
        gc.disable()
        succeeded = {await call(task_id) for _ in range(CALLS)}
        assert succeeded == {task_id == "known"}
        left[task_id] = sum(isinstance(each, TaskNotFoundError) for each in gc.get_objects())
        gc.enable()
    print("a2a-sdk", version("a2a-sdk"))
    print(f"{CALLS} calls that succeed leave {left['known']} errors,", end=" ")
    print(f"{CALLS} that are refused leave {left['unknown']}")
    assert left == {"known": 0, "unknown": CALLS}


asyncio.run(main())
PY
for enabled in true false; do
  echo "OTEL_INSTRUMENTATION_A2A_SDK_ENABLED=$enabled"
  OTEL_INSTRUMENTATION_A2A_SDK_ENABLED=$enabled "$tmp/venv/bin/python" "$tmp/calls.py"
done
