"""Our MCP server as its clients meet it: the SDK's own, and plain HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.users import SSL_CONTEXT, Json, User

PATH = "/mcp"
SESSIONS, MODERN = "2025-11-25", "2026-07-28"
BOTH = {"accept": "application/json, text/event-stream"}
ENVELOPE: Json = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def url_of(user: User, gateway: str = "") -> str:
    """Where the server is, at the user's gateway unless another is named."""
    return (gateway or str(user.http.base_url).rstrip("/")) + PATH


@asynccontextmanager
async def mcp_client(
    user: User, mode: str = "auto", gateway: str = "", **options: Any
) -> AsyncIterator[Client]:
    """The SDK's client, of the newest revision, or of the newest one with sessions ("legacy")."""
    headers = {"Authorization": f"Bearer {user.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30, verify=SSL_CONTEXT) as http:
        transport = streamable_http_client(url_of(user, gateway), http_client=http)
        async with Client(transport, mode=mode, **options) as client:
            yield client


def request(method: str, id_: Any = 1, **params: Any) -> Json:
    """A request of a revision with sessions."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def modern(method: str, id_: Any = 1, **params: Any) -> tuple[Json, dict[str, str]]:
    """A request of the newest revision, and the headers that go with it."""
    meta = {**ENVELOPE, **params.pop("_meta", {})}
    headers = {**BOTH, "mcp-protocol-version": MODERN, "mcp-method": method}
    if (name := params.get("name") or params.get("uri")) is not None:
        headers["mcp-name"] = name
    return request(method, id_, **params, _meta=meta), headers


async def post(user: User, message: Any, **headers: str) -> httpx2.Response:
    """What a message is answered with, once all of it is there."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await user.http.post(PATH, json=message, headers={**BOTH, **named})


@asynccontextmanager
async def opening(
    user: User, message: Json | None, **headers: str
) -> AsyncIterator[httpx2.Response]:
    """What begins as an answer to a message, streamed or not; without a message it is a GET."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    method = "GET" if message is None else "POST"
    shown = {**BOTH, **named}
    async with user.http.stream(method, PATH, headers=shown, json=message) as response:
        yield response


@asynccontextmanager
async def streaming(
    user: User, message: Json | None, **headers: str
) -> AsyncIterator[AsyncIterator[Json]]:
    """The events of a stream, each with its `id` and its `data`; without a message it is a GET."""
    async with opening(user, message, **headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield _events(response)


async def _events(response: httpx2.Response) -> AsyncIterator[Json]:
    event: Json = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name in {"data", "data:"}:
            event["data"] = json.loads(value) if value else None
        elif name:
            event[name] = value
        elif event:
            yield event
            event = {}


def new_session() -> str:
    """A name for a session, as a client of ours could have been given."""
    return uuid4().hex
