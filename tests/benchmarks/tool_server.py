"""MCP servers of others, all of them one process: `python -m tests.benchmarks.tool_server`.

Each path is a server of its own; the last part of it says how many tools it has. They speak a
revision with a handshake, keep no sessions, and count how often each was listed.
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

looks = Counter[str]()


@cache
def _tools(count: int) -> list[dict[str, Any]]:
    properties = {name: {"type": "string", "description": "d" * 50} for name in "abcdef"}
    schema = {"type": "object", "properties": properties, "required": ["a"]}
    return [
        {"name": f"tool{number}", "description": "d" * 100, "inputSchema": schema}
        for number in range(count)
    ]


def _answer(path: str, asked: Any) -> bytes | None:
    """The answer to a message; None: it is a notification."""
    if "id" not in asked:
        return None
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
    return orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], **result})


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(HEAD_END)).decode()
            path = head.split(" ", 2)[1]
            sizes = [line for line in head.lower().split("\r\n") if line.startswith("content-len")]
            body = await reader.readexactly(int(sizes[0].split(":")[1]) if sizes else 0)
            status, told = "200 OK", orjson.dumps(looks)
            if path != LOOKS:
                answer = _answer(path, orjson.loads(body)) if body else b"{}"
                status, told = ("202 Accepted", b"") if answer is None else (status, answer)
            kind = "Content-Type: application/json"
            head = f"HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {len(told)}\r\n\r\n"
            writer.write(head.encode() + told)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, HOST, int(os.environ[PORT]), backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
