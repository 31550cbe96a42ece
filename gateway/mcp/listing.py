"""Lists the tools of an MCP server by the official SDK, without its judgement of what comes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import ObjectReceiveStream
from attrs import define, field
from mcp import Client, MCPError
from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import (
    METHOD_NOT_FOUND,
    SERVER_INFO_META_KEY,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from gateway.mcp.tools import MOST_TOOLS

MOST_PAGES = 100
BARREN_LIMIT = 3  # pages in a row without anything new
RELISTINGS = 2  # of a server that says meanwhile that its tools have changed
MESSAGES_LIMIT = 1000  # of a server, answers and others
QUESTIONS_LIMIT = 100  # of these: each is answered

FRAGILE, OF_FRAGILE = ("1.8.", "1.9."), ("2024-11-05", "2025-03-26")
CHANGED = "notifications/tools/list_changed"

type Received = SessionMessage | Exception


@define
class Listed:
    """What a server has said so far."""

    tools: list[object] = field(factory=list)
    names: set[str] = field(factory=set)
    pages: int = 0
    """In how many answers they came."""
    server: dict[str, Any] = field(factory=dict)
    """What it said of itself when it was greeted: its result, in either form."""
    version: str | None = None
    """Of the protocol, that is spoken with it."""
    is_whole: bool = False
    """Whether these are all its tools."""
    has_changed: bool = False
    """Whether it has said so since the listing began."""
    messages: int = 0
    """How many it has sent."""
    questions: int = 0
    """How many of these want an answer."""

    def begin(self) -> None:
        """What is listed from now on stands in place of what was."""
        self.tools, self.names, self.pages = [], set(), 0
        self.is_whole = self.has_changed = False

    @property
    def is_flooded(self) -> bool:
        """Whether it says more than anybody listens to."""
        return self.messages > MESSAGES_LIMIT or self.questions > QUESTIONS_LIMIT

    def take(self, result: dict[str, Any]) -> None:
        """Take what is of use out of an answer, and leave what the SDK needs."""
        if isinstance(result.get("tools"), list):
            self.tools += result["tools"]
            self.pages += 1
            self.names.update(map(str, (_name(one) for one in result["tools"])))
            result["tools"] = []
            cursor = result.get("nextCursor")
            result["nextCursor"] = cursor if isinstance(cursor, str) and cursor else None
        elif "protocolVersion" in result or "supportedVersions" in result:
            self.server = dict(result)
            result.pop("instructions", None)
            result["capabilities"] = {"tools": {}}
            if "protocolVersion" in result:
                result["serverInfo"] = {"name": "", "version": ""}

    @property
    def told(self) -> dict[str, Any]:
        """What it says of its name and version."""
        meta = self.server.get("_meta")
        stamped = meta.get(SERVER_INFO_META_KEY) if isinstance(meta, dict) else None
        info = self.server.get("serverInfo", stamped)
        return info if isinstance(info, dict) else {}

    @property
    def dies_with_sessions(self) -> bool:
        """Whether it is the SDK's of 1.8 or 1.9, all of which fails when one session is ended.

        So it is with anyio 4.16, which it lets in. They say the SDK's version as their own.
        """
        is_of_then = self.version in OF_FRAGILE
        return is_of_then and str(self.told.get("version")).startswith(FRAGILE)

    @property
    def declares_tools(self) -> bool:
        """Whether it says that it has tools."""
        capabilities = self.server.get("capabilities")
        return isinstance(capabilities, dict) and "tools" in capabilities


async def list_tools(transport: Transport, listed: Listed, *, is_older: bool) -> None:
    """Note what the server lists as its tools, page by page. Raises what the SDK raises.

    Listing ends where nothing new comes, whatever the server says; and after MOST_TOOLS or
    MOST_PAGES. One that is known to be older is not asked whether it is not.
    """
    mode = "legacy" if is_older else "auto"
    async with Client(take_answers(transport, listed), mode=mode, cache=None) as client:
        listed.version = client.session.protocol_version
        try:
            await _list_pages(client, listed)
            await _list_again(client, listed)
        except MCPError as error:
            if error.code != METHOD_NOT_FOUND or listed.declares_tools or listed.tools:
                raise
            listed.is_whole = True  # it has other things


async def _list_pages(client: Client, listed: Listed) -> None:
    cursor: str | None = None
    followed, barren = set[str](), 0
    for _ in range(MOST_PAGES):
        known = len(listed.names)
        cursor = (await client.list_tools(cursor=cursor)).next_cursor
        barren = barren + 1 if len(listed.names) == known else 0
        if cursor is None or cursor in followed or barren == BARREN_LIMIT:
            listed.is_whole = True
            return
        if len(listed.names) > MOST_TOOLS:
            return
        followed.add(cursor)


async def _list_again(client: Client, listed: Listed) -> None:
    """Once more, or twice, where its tools have changed meanwhile; those of before stay if not."""
    for _ in range(RELISTINGS):
        if not listed.has_changed:
            return
        before = listed.tools, listed.names, listed.pages, listed.is_whole
        listed.begin()
        try:
            await _list_pages(client, listed)
        except MCPError:
            listed.tools, listed.names, listed.pages, listed.is_whole = before
            return


def _name(one: object) -> object:
    return one.get("name") if isinstance(one, dict) else one


@asynccontextmanager
async def take_answers(
    transport: Transport, listed: Listed
) -> AsyncIterator[tuple[ObjectReceiveStream[Received], Any]]:
    """The same transport, with what is in answers put there: the SDK never sees it.

    It would refuse a page of tools for one that is no good, and a server that has no version. Nor
    does it see notifications, which may be many.
    """
    async with transport as (reading, writing):
        yield Taking(reading.receive, reading.aclose, listed), writing


class Taking(ObjectReceiveStream[Received]):
    """What a server says, without what may be no good in its answers."""

    def __init__(
        self,
        receive: Callable[[], Awaitable[Received]],
        close: Callable[[], Awaitable[None]],
        listed: Listed,
    ) -> None:
        self._receive = receive
        self._close = close
        self._listed = listed

    async def receive(self) -> Received:
        """The next answer, or question of the server's; nothing more of one that floods."""
        while not self._listed.is_flooded:
            received = await self._receive()
            self._listed.messages += 1
            match received:
                case SessionMessage(message=JSONRPCResponse(result=result)):
                    self._listed.take(result)
                case SessionMessage(message=JSONRPCNotification(method=method)):
                    self._listed.has_changed |= method == CHANGED
                    continue
                case SessionMessage(message=JSONRPCRequest()):
                    self._listed.questions += 1
            return received
        raise anyio.EndOfStream

    async def aclose(self) -> None:
        """Close what is beneath."""
        await self._close()
