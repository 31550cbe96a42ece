"""What an MCP server says about itself and its tools."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from anyio import to_thread
from mcp import MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import PARSE_ERROR
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from gateway.mcp.info import read_info
from gateway.mcp.listing import MESSAGES_LIMIT, MOST_PAGES, QUESTIONS_LIMIT, Listed, list_tools
from gateway.mcp.sessions import Sessions
from gateway.mcp.tools import MOST_TOOLS, FoundServer, Reading, digest_of
from gateway.remote.causes import describe_answer
from gateway.remote.challenges import GIVE
from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError, UnsuccessfulError
from gateway.remote.left_out import LeftOut, log_left_out
from gateway.remote.mending import mend_answer
from gateway.remote.outbound import Outbound
from gateway.remote.urls import show

logger = logging.getLogger(__name__)

VISIT_BYTES = 8 * 1024 * 1024
SECOND_SECONDS = 5.0  # for a second visit that finds out more

NO_MCP = (
    "it does not answer as an MCP server does, make sure that it supports the 'streamable-http' "
    "protocol"
)
NOT_LISTED = "it does not list its tools"
FLOODED = f"it sends more than {MESSAGES_LIMIT:,} messages, or {QUESTIONS_LIMIT} questions"
SSE_STATUSES = frozenset({400, 404, 405})  # to who posts where a stream is to be asked for
SSE_ONLY = (
    "it speaks the older 'HTTP+SSE' protocol alone, make sure that it supports the "
    "'streamable-http' protocol, which most servers have at another path, like /mcp"
)
WAYS = f"{GIVE}, or `authorize` it by logging in there"


async def look_up(
    outbound: Outbound,
    url: str,
    version: str | None = None,
    credentials: Credentials | None = None,
) -> FoundServer:
    """The server at a URL, by the version of the protocol that was spoken with it the last time.

    Tools that are no good are left out, and the log says so. What goes wrong when some tools have
    come already ends the listing of others. Raises UnreachableError.
    """
    listed, sessions = Listed(), Sessions()
    is_older = version in HANDSHAKE_PROTOCOL_VERSIONS
    ended = None
    try:
        async with (
            outbound.visit(VISIT_BYTES, credentials=credentials) as http,
            explained(http, sessions, NOT_LISTED, was_sent=credentials is not None),
        ):
            transport = streamable_http_client(
                url, http_client=http, terminate_on_close=False, max_sse_event_size=None
            )
            await list_tools(transport, listed, is_older=is_older)
            if listed.dies_with_sessions:
                sessions.leave()
            await sessions.end(http, url)
    except UnreachableError as error:
        if not listed.tools and not listed.is_whole:
            raise await _judge(error, outbound, url, credentials, listed) from None
        ended = FLOODED if listed.is_flooded else str(error)
    finally:
        await sessions.end_later(outbound, url, credentials)
    reading = Reading()
    await to_thread.run_sync(reading.read, listed.tools)  # which may have many thousand parts
    is_short = listed.is_whole and listed.pages == 1 and not sessions.has_any
    digest = await to_thread.run_sync(digest_of, listed.tools) if is_short else None
    _log(url, reading.left_out, None if listed.is_whole else ended or _BOUNDS)
    return FoundServer(
        list(reading.tools.values()),
        reading.left_out,
        listed.is_whole,
        read_info(listed.told, listed.server.get("instructions"), listed.version),
        listed.version,
        digest,
    )


_BOUNDS = f"it has more than {MOST_TOOLS:,} tools, or more than {MOST_PAGES:,} pages of them"


def _log(url: str, left_out: list[LeftOut], ended: str | None) -> None:
    log_left_out(left_out, "tools", "MCP server", url)
    if ended:
        logger.info("MCP server %s: not all of its tools are listed: %s", show(url), ended)


async def _judge(
    error: UnreachableError,
    outbound: Outbound,
    url: str,
    credentials: Credentials | None,
    listed: Listed,
) -> UnreachableError:
    """The error, or its cause, or that the server is one of those that there were first."""
    if listed.is_flooded:
        return UnreachableError(FLOODED)
    may_be = isinstance(error, UnsuccessfulError) and error.status in SSE_STATUSES
    is_one = may_be and await _streams_first(outbound, url, credentials)
    return UnreachableError(SSE_ONLY) if is_one else error


async def _streams_first(outbound: Outbound, url: str, credentials: Credentials | None) -> bool:
    """Whether it begins a stream by saying where to post, as the specification has it since 2025.

    What stands in the way of finding out is told by the visit before.
    """
    asking = {"Accept": "text/event-stream"}
    try:
        async with (
            outbound.visit(seconds=SECOND_SECONDS, credentials=credentials) as http,
            http.stream("GET", url, headers=asking) as answer,
        ):
            if not answer.headers.get("Content-Type", "").startswith(asking["Accept"]):
                return False
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    return line.removeprefix("event:").strip() == "endpoint"
    except UnreachableError:
        return False
    return False


@asynccontextmanager
async def explained(
    http: httpx2.AsyncClient, sessions: Sessions, refused: str, *, was_sent: bool
) -> AsyncIterator[None]:
    """Raises UnreachableError for what the SDK raises: anything, in groups.

    `refused` is the clause for an answer of the server that is an error.
    """
    answers: list[httpx2.Response] = []

    async def note(answer: httpx2.Response) -> None:
        if answer.request.method == "POST":  # a server need not take the other methods
            answers.append(answer)

    http.event_hooks = {"response": [note, sessions.note, mend_answer]}
    try:
        yield
    except Exception as error:
        if answers and not answers[-1].is_success:
            raise describe_answer(answers[-1], was_sent=was_sent, ways=WAYS) from error
        raise _explain(error, refused) from error


def _explain(error: BaseException, refused: str) -> UnreachableError:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MCPError) and error.code != PARSE_ERROR:
        return UnreachableError(refused, error.message)
    return UnreachableError(NO_MCP)
