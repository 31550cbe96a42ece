"""The server side of the package for A2A, over our requests: what it takes and what it answers.

To load it takes half a second, and 22 MiB: `loading` does that when it is needed.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from json import JSONDecodeError
from typing import Any

from a2a.server.context import ServerCallContext
from a2a.server.jsonrpc_models import JSONParseError
from a2a.server.request_handlers.response_helpers import build_error_response
from a2a.server.routes.common import ServerCallContextBuilder
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.server.routes.rest_routes import create_rest_routes
from a2a.utils.error_handlers import build_rest_error_payload
from a2a.utils.errors import A2AError, InvalidParamsError, InvalidRequestError
from google.protobuf.json_format import ParseError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match, Route
from starlette.types import Message, Scope

from gateway.published.asked import Asked
from gateway.published.errors import NoSuchOperationError
from gateway.published.handling import ASKED, Requests
from gateway.streams.sse import encode_event
from gateway.web.answer import Answer
from shared.codec.depth import has_more_values, is_too_deep
from shared.codec.text import read_json, write_json

logger = logging.getLogger(__name__)

FAULTS_OF_CLIENTS = "Failed to "  # how lines begin that anybody may cause as often as he likes
LOGGERS = "a2a.server.routes.jsonrpc_dispatcher", "a2a.compat.v0_3.jsonrpc_adapter"

NO_JSON = "The body is no JSON"
TOO_DEEP = "The body is nested too deeply"
VALUES_LIMIT = 5000  # of a body: the package looks at each for long, and tells of each fault
TOO_MANY_VALUES = f"The body must have at most {VALUES_LIMIT:,} values"
LENGTH, LENGTH_LIMIT = "historyLength", 2**31
ODD_LENGTH = f"{LENGTH} must be an integer of 32 bits"
SCOPE_KEY = "gateway.published.asked"


class _Contexts(ServerCallContextBuilder):
    """Hands the call through the package."""

    def build(self, request: Request) -> ServerCallContext:
        """What the package keeps of a request."""
        state = {"headers": dict(request.headers), ASKED: request.scope[SCOPE_KEY]}
        return ServerCallContext(state=state)


class Server:
    """Answers calls in both bindings and of both generations of A2A."""

    def __init__(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).addFilter(_is_ours)
        requests, contexts = Requests(), _Contexts()
        self._rpc = JsonRpcDispatcher(requests, contexts, enable_v0_3_compat=True)
        routes = create_rest_routes(requests, contexts, enable_v0_3_compat=True)
        self._routes = [each for each in routes if isinstance(each, Route)]  # not those of tenants

    async def answer_rpc(self, asked: Asked, body: bytes) -> Response | AsyncGenerator[bytes]:
        """The answer to JSON-RPC, or the events of one. Raises what is no error of A2A."""
        if (fault := _fault_of(body)) is not None:
            return _write(build_error_response(None, fault))
        request = _request(asked, {}, body)
        return await _converted(asked, await self._rpc.handle_requests(request))

    async def answer_http(
        self, asked: Asked, operation: str, body: bytes
    ) -> Response | AsyncGenerator[bytes]:
        """The answer to an operation by its path, or its events. Raises the same."""
        fault = _fault_of(body) if body else None
        if fault is not None:
            return _write(build_rest_error_payload(InvalidRequestError(str(fault.message))), 400)
        if not _is_length(asked.call.request.query_params.get(LENGTH, "0")):
            return _write(build_rest_error_payload(InvalidParamsError(ODD_LENGTH)), 400)
        matched = self._match(
            {**asked.call.request.scope, "path": f"/{operation}", "root_path": ""}
        )
        request = _request(asked, matched, body)
        return await _converted(asked, await matched["endpoint"](request))

    def _match(self, scope: Scope) -> Scope:
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return found
        raise NoSuchOperationError


def _is_ours(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(FAULTS_OF_CLIENTS)


def _fault_of(body: bytes) -> JSONParseError | InvalidRequestError | None:
    """What the package should not meet: it would call it an error of its own, or be long at it."""
    try:
        said = read_json(body)
    except JSONDecodeError:
        return JSONParseError(message=NO_JSON)
    if has_more_values(said, VALUES_LIMIT):
        return InvalidRequestError(TOO_MANY_VALUES)
    return JSONParseError(message=TOO_DEEP) if is_too_deep(said) else None


def _is_length(text: str) -> bool:
    """Whether the package can read it: what it can't it calls an error of its own, in 0.3."""
    try:
        return abs(int(text)) < LENGTH_LIMIT
    except ValueError:
        return False


def _request(asked: Asked, matched: Scope, body: bytes) -> Request:
    """The request with its body, which was read and found to be good."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**asked.call.request.scope, **matched, SCOPE_KEY: asked}, receive)


async def _converted(asked: Asked, response: Any) -> Response | AsyncGenerator[bytes]:
    """The package's answer as one of ours; of a stream the first event is there then."""
    if isinstance(response, Response) and not _is_stream(response):
        _raise_noted(asked)
        kind = {"Content-Type": response.headers["content-type"]}
        return Answer([bytes(response.body)], response.status_code, kind)
    chunks = aiter(response.body_iterator)
    try:
        first = await anext(chunks)
    except (A2AError, ParseError) as error:
        payload = build_rest_error_payload(error)
        _raise_noted(asked)
        return _write(payload, payload["error"]["code"])
    _raise_noted(asked)
    return _pieces(asked, first, chunks)


def _is_stream(response: Response) -> bool:
    return isinstance(response, StreamingResponse) or hasattr(response, "body_iterator")


def _raise_noted(asked: Asked) -> None:
    if asked.raised:
        raise asked.raised.pop()


async def _pieces(
    asked: Asked, first: object, chunks: AsyncIterator[object]
) -> AsyncGenerator[bytes]:
    yield _encode(first)
    try:
        async for chunk in chunks:
            yield _encode(chunk)
    except A2AError as error:
        yield encode_event(write_json(build_rest_error_payload(error)), event="error")
    for raised in asked.raised:
        logger.error("a task could not be told any more", exc_info=raised)


def _encode(chunk: Any) -> bytes:
    """What `sse-starlette` takes: a text, an object of its own, or a dict of such."""
    match chunk:
        case str():
            return encode_event(chunk.encode())
        case dict():
            return encode_event(chunk["data"].encode(), event=chunk.get("event", ""))
    return encode_event(chunk.data.encode(), event=chunk.event or "")


def _write(content: Any, status: int = 200) -> Response:
    return Answer([write_json(content)], status)
