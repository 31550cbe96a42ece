"""MCP: the user's agents and flows as tools, and files as resources, for programs that speak it."""

from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from msgspec import UNSET
from starlette.responses import Response

from gateway.mcpserver.calls import call_tool, cancel_call, resume_call
from gateway.mcpserver.exchanges import (
    EVENTS,
    JSON,
    SESSION,
    Exchange,
    ForbiddenError,
    NotAcceptableError,
    WrongMethodError,
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
from gateway.mcpserver.metadata import (
    PATH,
    WELL_KNOWN,
    NoMetadataError,
    ResourceMetadata,
    read_metadata,
)
from gateway.mcpserver.schemas import RpcError, RpcMessage
from gateway.mcpserver.server import check_params, result_for
from gateway.openapi.schemas import Json
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import ApiError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation

CANCELLED = "notifications/cancelled"
ACCEPTED = 202
NO_STREAM = "Clients of this revision send the request subscriptions/listen"

STREAM: Json = {"schema": {"type": "string", "description": "Messages, up to the response."}}
RESPONSE: Json = {"schema": {"type": "object"}}
ANSWERED: Mapping[str, Json] = {
    "200": {
        "description": "The response, or a stream that ends with it",
        "content": {JSON: RESPONSE, EVENTS: STREAM},
    },
    "202": {"description": "A notification was taken note of"},
}
LISTENED: Mapping[str, Json] = {
    "200": {"description": "Notifications, or what is left of a call", "content": {EVENTS: STREAM}}
}


async def create_rpc(call: Call[RpcMessage, Nothing]) -> Response:
    """Take a message of MCP: a request, which is answered, or a notification.

    Streamable HTTP, of all revisions from 2025-03-26 to 2026-07-28. Calls of tools are answered
    by a stream, and the rest at once.
    """
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


async def read_rpc(call: Call[Nothing, Nothing]) -> Response:
    """Listen to changes of one's tools, or go on with a call whose stream has broken.

    For the revisions up to 2025-11-25. `Last-Event-ID` says what of a call was told already.
    """
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


operations = [
    Operation(
        method="POST",
        path=PATH,
        handler=create_rpc,
        body=RpcMessage,
        result=Response,
        responses=ANSWERED,
        refusal=RpcError,
        further_errors=[ForbiddenError, NotAcceptableError],
        bounded=True,
        lends=False,
    ),
    Operation(
        method="GET",
        path=PATH,
        handler=read_rpc,
        result=Response,
        responses=LISTENED,
        refusal=RpcError,
        further_errors=[ForbiddenError, NotAcceptableError, WrongMethodError],
        bounded=True,
        lends=False,
    ),
    *(
        Operation(
            method="GET",
            path=f"{WELL_KNOWN}{at}",
            handler=read_metadata,
            result=ResourceMetadata,
            access=Access.ANYONE,
            fails=False,
            further_errors=[NoMetadataError],
            old_place=place,
        )
        for at, place in ((PATH, ""), ("", "at_the_root"))
    ),
]
