"""MCP servers of others, all of them one process: `python -m tests.benchmarks.tool_server`.

Each path is a server of its own; the last part of it says how many tools it has. They speak a
revision with a handshake, keep no sessions, answer by streams of events as the SDKs' servers do,
and as late as if they were far away. How often each was listed is counted.
"""

import asyncio
import os
from collections import Counter
from functools import cache
from typing import Any

import orjson
import uvloop

from devstack.processes import HOST

PORT = "TOOLS_PORT"
LOOKS = "/looks"
VERSION = "2025-11-25"
HEAD_END = b"\r\n\r\n"
AWAY_SECONDS = 0.05

looks = Counter[str]()


@cache
def _tools(count: int) -> list[dict[str, Any]]:
    properties = {name: {"type": "string", "description": "d" * 50} for name in "abcdef"}
    schema = {"type": "object", "properties": properties, "required": ["a"]}
    return [
        {"name": f"tool{number}", "description": "d" * 100, "inputSchema": schema}
        for number in range(count)
    ]


def _answer(path: str, body: bytes) -> tuple[str, str, bytes]:
    """The status, the type and the content of what answers a message, or who wants a stream."""
    asked = orjson.loads(body or b"{}")
    if "id" not in asked:
        return ("202 Accepted" if body else "405 Method Not Allowed"), "text/plain", b""
    match asked["method"]:
        case "initialize":
            info = {"name": "outsider", "version": "1"}
            told: dict[str, Any] = {"protocolVersion": VERSION, "capabilities": {"tools": {}}}
            result: dict[str, Any] = {"result": {**told, "serverInfo": info}}
        case "tools/list":
            looks[path] += 1
            result = {"result": {"tools": _tools(int(path.rpartition("/")[2]))}}
        case _:
            result = {"error": {"code": -32601, "message": "Method not found"}}
    message = orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], **result})
    return "200 OK", "text/event-stream", b"event: message\r\ndata: %b\r\n\r\n" % message


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(HEAD_END)).decode()
            path = head.split(" ", 2)[1]
            sizes = [line for line in head.lower().split("\r\n") if line.startswith("content-len")]
            body = await reader.readexactly(int(sizes[0].split(":")[1]) if sizes else 0)
            status, kind, told = "200 OK", "application/json", orjson.dumps(looks)
            if path != LOOKS:
                await asyncio.sleep(AWAY_SECONDS)
                status, kind, told = _answer(path, body)
            about = f"Content-Type: {kind}\r\nContent-Length: {len(told)}"
            head = f"HTTP/1.1 {status}\r\n{about}\r\n\r\n"
            writer.write(head.encode() + told)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, HOST, int(os.environ[PORT]), backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
