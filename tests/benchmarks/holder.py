"""Holds sockets, each of which is to get one log entry: `python -m tests.benchmarks.holder`.

A file has their URLs, a line each. It says when all are open, and when each has got the entry that
has its session's id, and goes on holding them; killed, it leaves with all of them at once.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from tests.benchmarks.wire import Socket, open_sockets

AT_A_TIME = 12
URLS = "HOLDER_URLS"  # the variable that names the file
OPEN, HEARD = "all are open", "each got its entry"


async def hold(urls: Sequence[str]) -> None:
    """Hold them for ever."""
    sockets = await open_sockets(urls, AT_A_TIME)
    print(OPEN, flush=True)
    for url, socket in zip(urls, sockets, strict=True):
        await _get_entry(url, socket)
    print(HEARD, flush=True)
    await asyncio.Event().wait()


async def _get_entry(url: str, socket: Socket) -> None:
    [session] = parse_qs(urlsplit(url).query)["session_id"]
    frame = orjson.loads(await socket.receive())
    if frame["log"]["message"] != session:
        sys.exit("a socket got the entry of another session")


if __name__ == "__main__":
    uvloop.run(hold(Path(os.environ[URLS]).read_text().split()))
