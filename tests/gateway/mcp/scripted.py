"""An MCP server of the handshake, whose answers are as a test says."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from attrs import define, field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

GOOD = {"name": "good", "inputSchema": {"type": "object", "properties": {}}}


def tool(name: str) -> dict[str, Any]:
    return {**GOOD, "name": name}


@define
class Scripted:
    """Lists pages by their cursors; with sessions, makes one for whoever comes without."""

    pages: Mapping[str | None, Any]
    version: str = "2025-06-18"
    info: Any = field(factory=lambda: {"name": "outsider", "version": "1"})
    capabilities: Any = field(factory=lambda: {"tools": {}})
    extra: Mapping[str, Any] = field(factory=dict)
    has_sessions: bool = False
    session: str | None = None
    """What it calls each of them, if not by a name of its own."""
    streams: bool = False
    results: dict[str, Any] = field(factory=dict)
    """Of other methods than those that list."""
    asked: list[str] = field(factory=list)
    sessions: set[str] = field(factory=set)

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST", "DELETE"])])

    async def _answer(self, request: Request) -> Response:
        session = request.headers.get("mcp-session-id")
        if request.method == "DELETE":
            self.asked.append("DELETE")
            self.sessions.remove(str(session))
            return Response(status_code=200)
        asked = await request.json()
        self.asked.append(asked["method"])
        if session is None and self.has_sessions:
            self.sessions.add(session := self.session or uuid4().hex)
        headers = {"mcp-session-id": session} if session else {}
        if "id" not in asked:
            return Response(status_code=202, headers=headers)
        body = {"jsonrpc": "2.0", "id": asked["id"], **self._result(asked)}
        text = json.dumps(body)
        if self.streams:
            text = f"event: message\r\ndata: {text}\r\n\r\n"
        kind = "text/event-stream" if self.streams else "application/json"
        return Response(text, headers=headers, media_type=kind)

    def _result(self, asked: Any) -> dict[str, Any]:
        match asked["method"]:
            case "initialize":
                about = {"serverInfo": self.info, "capabilities": self.capabilities, **self.extra}
                return {"result": {"protocolVersion": self.version, **about}}
            case "tools/list" if self.pages:
                page = self.pages.get(asked.get("params", {}).get("cursor"))
                if page is not None:
                    return {"result": page}
            case method if self.results.get(method) is not None:
                return {"result": self.results[method]}
        return {"error": {"code": -32601, "message": "Method not found"}}
