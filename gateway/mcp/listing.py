"""Lists the tools of an MCP server by the official SDK, without its judgement of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from anyio.abc import ObjectReceiveStream
from mcp import Client
from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

MOST_TOOLS = 1000

type Received = SessionMessage | Exception


async def list_tools(transport: Transport) -> list[object]:
    """What the server lists as its tools, MOST_TOOLS at most. Raises what the SDK raises."""
    tools: list[object] = []
    async with Client(_take_tools(transport, tools)) as client:
        cursor: str | None = None
        while len(tools) < MOST_TOOLS:
            page = await client.list_tools(cursor=cursor)
            cursor = page.next_cursor
            if cursor is None:
                break
    return tools[:MOST_TOOLS]


@asynccontextmanager
async def _take_tools(
    transport: Transport, tools: list[object]
) -> AsyncIterator[tuple[ObjectReceiveStream[Received], Any]]:
    """The same transport, with the tools put there: the SDK never sees one.

    It would refuse a page of them for one that is no good.
    """
    async with transport as (reading, writing):
        yield Taking(reading.receive, reading.aclose, tools), writing


class Taking(ObjectReceiveStream[Received]):
    """The answers of a server, without tools."""

    def __init__(
        self,
        receive: Callable[[], Awaitable[Received]],
        close: Callable[[], Awaitable[None]],
        tools: list[object],
    ) -> None:
        self._receive = receive
        self._close = close
        self._tools = tools

    async def receive(self) -> Received:
        """The next answer."""
        received = await self._receive()
        if isinstance(received, SessionMessage) and isinstance(received.message, JSONRPCResponse):
            result = received.message.result
            if isinstance(result.get("tools"), list):
                self._tools += result["tools"]
                result["tools"] = []
        return received

    async def aclose(self) -> None:
        """Close what is beneath."""
        await self._close()
