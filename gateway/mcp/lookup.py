"""What an MCP server says about itself."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp import MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import PARSE_ERROR

from gateway.mcp.listing import list_tools
from gateway.mcp.tools import FoundTool, read_tools
from gateway.remote.causes import describe_answer
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import show

logger = logging.getLogger(__name__)

NO_MCP = (
    "it does not answer as an MCP server does, make sure that it supports the 'streamable-http' "
    "protocol"
)


async def look_up(outbound: Outbound, url: str) -> list[FoundTool]:
    """The tools of the server at a URL, each name once. Raises UnreachableError.

    Those that are no good are left out, and the log says so.
    """
    async with outbound.visit() as http, _explained(http):
        listed = await list_tools(streamable_http_client(url, http_client=http))
    tools, faults = read_tools(listed)
    if faults:
        text = "MCP server %s: %d of its tools are left out, the first is %s"
        logger.info(text, show(url), len(faults), faults[0])
    return tools


@asynccontextmanager
async def _explained(http: httpx2.AsyncClient) -> AsyncIterator[None]:
    """Raises UnreachableError for what the SDK raises: anything, in groups."""
    answers: list[httpx2.Response] = []

    async def note(answer: httpx2.Response) -> None:
        if answer.request.method == "POST":  # a server need not take the other methods
            answers.append(answer)

    http.event_hooks = {"response": [note]}
    try:
        yield
    except Exception as error:
        if answers and not answers[-1].is_success:
            raise describe_answer(answers[-1]) from error
        raise _explain(error) from error


def _explain(error: BaseException) -> UnreachableError:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MCPError) and error.code != PARSE_ERROR:
        return UnreachableError("it does not list its tools", error.message)
    return UnreachableError(NO_MCP)
