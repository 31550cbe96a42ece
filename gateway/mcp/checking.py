"""Whether an MCP server still lists the tools that it listed, by one request.

One that keeps no sessions can't know whether it was greeted before. The SDK greets it each time,
which takes six times as much; it is for whatever is unusual here.
"""

from typing import Any

import httpx2
import orjson
from mcp.client.session import DEFAULT_CLIENT_INFO
from mcp.shared.inbound import MCP_METHOD_HEADER, MCP_PROTOCOL_VERSION_HEADER
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic_core import from_json

from gateway.mcp.sessions import Sessions
from gateway.mcp.tools import digest_of
from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.kinds import SHORT_SECONDS
from gateway.remote.mending import beside, mend_answer
from gateway.remote.outbound import Outbound

LIST = "tools/list"
ID = 1
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    MCP_METHOD_HEADER: LIST,
}
CLIENT = DEFAULT_CLIENT_INFO.model_dump(by_alias=True, mode="json", exclude_none=True)


async def lists_the_same(
    outbound: Outbound, url: str, version: str, digest: str, credentials: Credentials | None
) -> bool:
    """Whether its tools have this digest, by the version that was spoken with it the last time.

    If not, or if that can't be said, a look-up finds out more.
    """
    sessions = Sessions()
    headers = {**HEADERS, MCP_PROTOCOL_VERSION_HEADER: version}
    try:
        async with outbound.visit(seconds=SHORT_SECONDS, credentials=credentials) as http:
            http.event_hooks = {"response": [sessions.note, mend_answer]}
            async with http.stream("POST", url, content=_ask(version), headers=headers) as answer:
                text = await _read_message(answer) if answer.is_success else b""
                return await beside(_digest_in, text) == digest
    except UnreachableError:
        return False
    finally:
        await sessions.end_later(outbound, url, credentials)


def _ask(version: str) -> bytes:
    asked: dict[str, Any] = {"jsonrpc": "2.0", "id": ID, "method": LIST}
    if version not in HANDSHAKE_PROTOCOL_VERSIONS:  # who asks says so each time
        meta = {
            PROTOCOL_VERSION_META_KEY: version,
            CLIENT_INFO_META_KEY: CLIENT,
            CLIENT_CAPABILITIES_META_KEY: {},
        }
        asked["params"] = {"_meta": meta}
    return orjson.dumps(asked)


async def _read_message(answer: httpx2.Response) -> bytes:
    """The first message that it sends."""
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        return await answer.aread()
    async for event in httpx2.EventSource(answer):
        if event.data:
            return event.data.encode()
    return b""


def _digest_in(text: bytes) -> str | None:
    """Of the tools in an answer that holds them all."""
    try:
        message = from_json(text)
    except ValueError:
        return None
    match message:
        case {"id": 1, "result": {"tools": list() as tools} as result}:
            return None if result.get("nextCursor") else digest_of(tools)
    return None
