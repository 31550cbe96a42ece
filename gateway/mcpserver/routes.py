"""MCP: the user's agents and flows as tools, and files as resources, for programs that speak it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.responses import Response

from gateway.mcpserver.metadata import (
    PATH,
    WELL_KNOWN,
    NoMetadataError,
    ResourceMetadata,
    read_metadata,
)
from gateway.mcpserver.schemas import (
    EVENTS,
    JSON,
    ForbiddenError,
    NotAcceptableError,
    RpcError,
    RpcMessage,
    WrongMethodError,
)
from gateway.openapi.schemas import Json
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.mcpserver import serving
else:  # which imports the SDK
    serving = Later("gateway.mcpserver.serving")

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
    return await serving.answer_message(call)


async def read_rpc(call: Call[Nothing, Nothing]) -> Response:
    """Listen to changes of one's tools, or go on with a call whose stream has broken.

    For the revisions up to 2025-11-25. `Last-Event-ID` says what of a call was told already.
    """
    return await serving.answer_listener(call)


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
