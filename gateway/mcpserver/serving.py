"""Answers messages of MCP by the SDK for it, which is loaded with this."""

from typing import Any

from mcp import MCPError
from msgspec import UNSET
from starlette.responses import Response

from gateway.mcpserver.calls import call_tool, cancel_call, resume_call
from gateway.mcpserver.exchanges import (
    SESSION,
    Exchange,
    answer,
    check_accepts,
    check_sender,
    handshake_version,
    new_session,
    read_exchange,
    refuse,
    trimmed,
)
from gateway.mcpserver.listening import LISTEN, STATE, listen_in_session, subscribe
from gateway.mcpserver.schemas import EVENTS, JSON, RpcMessage, WrongMethodError
from gateway.mcpserver.server import check_params, result_for
from gateway.web.call import Call
from gateway.web.errors import ApiError
from gateway.web.inputs import Nothing

CANCELLED = "notifications/cancelled"
ACCEPTED = 202
NO_STREAM = "Clients of this revision send the request subscriptions/listen"


async def answer_message(call: Call[RpcMessage, Nothing]) -> Response:
    """The answer to a request or a notification. Raises errors of the API."""
    headers, message = trimmed(call.request.headers), call.body
    check_sender(call.request, call.state["settings"])
    check_accepts(headers, JSON, EVENTS)
    id_ = None if message.id is UNSET else message.id
    try:
        exchange = read_exchange(headers, message)
        if exchange is None:
            return Response(status_code=ACCEPTED)
        return await (_note if exchange.id is None else _answer)(call, exchange)
    except MCPError as error:
        return refuse(id_, error.error, is_modern=handshake_version(headers) is None)
    except ApiError as error:
        error.about = id_
        raise


async def _note(call: Call[Any, Any], exchange: Exchange) -> Response:
    if exchange.method == CANCELLED:
        await cancel_call(call, exchange)
    return Response(status_code=ACCEPTED)


async def _answer(call: Call[Any, Any], exchange: Exchange) -> Response:
    assert exchange.id is not None
    match exchange.method:
        case "tools/call":
            check_params(exchange)
            return await call_tool(call, exchange)
        case method if method == LISTEN and exchange.is_modern:
            check_params(exchange)
            return subscribe(call, exchange)
        case "initialize":
            session = {SESSION: new_session()}
            return answer(exchange.id, await result_for(call, exchange), session)
    return answer(exchange.id, await result_for(call, exchange))


async def answer_listener(call: Call[Nothing, Nothing]) -> Response:
    """What is told to who listens, or what is left of a call. Raises errors of the API."""
    headers = call.request.headers
    check_sender(call.request, call.state["settings"])
    version = handshake_version(headers)
    if version is None:
        raise WrongMethodError(NO_STREAM)
    check_accepts(headers, EVENTS)
    event_id = headers.get("last-event-id", "")
    if event_id and not event_id.startswith(STATE):
        return await resume_call(call, version, event_id)
    return listen_in_session(call, version, event_id)
