"""Answering those who call what is published, by A2A: cards for everybody, and calls."""

import json
from functools import partial
from hashlib import sha256
from typing import Any

from databases.core import Connection
from starlette.responses import Response

from gateway.openapi.schemas import Json
from gateway.published.addresses import CARD_PATH, CARD_PATH_OF_BEFORE, PREFIX
from gateway.published.answering import answer, method_of
from gateway.published.asked import Asked
from gateway.published.cards import make_card
from gateway.published.errors import A2AError, NotPublishedError, NotYoursError
from gateway.published.queries import Published, select_published
from gateway.published.schemas import OperationBody, OperationPath, PublicationAlias, RpcCall
from gateway.web.addresses import whole_base_of
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.inputs import Nothing, read_data
from gateway.web.operation import Operation
from gateway.web.scopes import CHATS, CHATTING
from shared.codec.text import write_json
from shared.postgres.pool import connect

FILES_PATH = "/files/"
KEYS_PATH = f"{PREFIX}jwks.json"
CARD_SECONDS = 60  # for which a card may be kept
CACHED = f"public, max-age={CARD_SECONDS}"
MATCHES_ANY = "*"

JSON_OBJECT: Json = {"application/json": {"schema": {"type": "object"}}}
CARD: Json = {"description": "An `AgentCard`", "content": JSON_OBJECT}
KEYS: Json = {"description": "A JWK Set (RFC 7517)", "content": JSON_OBJECT}
ANSWER: Json = {
    "description": "What the operation answers, or its events",
    "content": {**JSON_OBJECT, "application/a2a+json": {}, "text/event-stream": {}},
}
NOT_MODIFIED: Json = {"description": "It is the same as before"}


async def read_card(call: Call[Nothing, PublicationAlias]) -> Response:
    """Read the card of what is published under an alias: what it is, and how it is called.

    It is for clients of A2A 1.0 and 0.3, and signed with a key of `/a2a/jwks.json`.
    """
    async with connect(call.database) as connection:
        published = await _find(call, connection)
    base = whole_base_of(call.request, call.state["settings"])
    card = make_card(published, base)
    whole = card.whole
    etag = f'W/"{sha256(write_json(whole)).hexdigest()}"'
    if _matches(call.request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": CACHED})
    signer = call.state["card_signer"]
    signatures = signer.sign(card.content, whole, f"{base}{KEYS_PATH}")
    return _cached({**whole, "signatures": signatures}, etag)


async def create_rpc_call(call: Call[RpcCall, PublicationAlias]) -> Response:
    """Call what is published by JSON-RPC, as A2A 1.0 and 0.3 have it.

    The body is a request of JSON-RPC. A message that is sent is a request here, and goes on when
    its sender has gone.
    """
    asked, body = await _take(call)
    server = await call.state["a2a_server"].get()
    return await answer(asked, method_of(body), partial(server.answer_rpc, asked, body))


async def read_by_operation(call: Call[Nothing, OperationPath]) -> Response:
    """Read tasks of what is published by HTTP+JSON, as A2A 1.0 and 0.3 have it."""
    return await _operate(call)


async def create_http_call(call: Call[OperationBody, OperationPath]) -> Response:
    """Call what is published by HTTP+JSON, as A2A 1.0 and 0.3 have it.

    The body is that of the operation, as `message:send`. A message that is sent is a request here,
    and goes on when its sender has gone.
    """
    return await _operate(call)


async def delete_by_operation(call: Call[Nothing, OperationPath]) -> Response:
    """Refuse to delete configurations of push notifications, of which there are none."""
    return await _operate(call)


async def _operate(call: Call[Any, OperationPath]) -> Response:
    asked, body = await _take(call)
    server, operation = await call.state["a2a_server"].get(), call.parameters.operation
    name = operation.rpartition(":")[2] if ":" in operation else ""
    return await answer(asked, name, partial(server.answer_http, asked, operation, body))


async def list_keys(call: Call[Nothing, Nothing]) -> Response:
    """List the public keys with which cards are signed, as a JWK Set."""
    keys = call.state["card_signer"].public_keys
    return _cached(keys, f'"{sha256(write_json(keys)).hexdigest()}"')


async def _take(call: Call[Any, Any]) -> tuple[Asked, bytes]:
    """The call and its body. Raises NotPublishedError, NotYoursError, TooLargeError, TooSlowError.

    The one place that says who may call what is published.
    """
    async with call.turn("find_published"), connect(call.database) as connection:
        published = await _find(call, connection)
    if published.owner != call.user_id:
        raise NotYoursError
    takes_body = call.request.method == "POST"
    data = await read_data(call.request, RpcCall if takes_body else Nothing, "raw")
    body = data.encode() if isinstance(data, str) else data
    assert isinstance(body, bytes)
    base = whole_base_of(call.request, call.state["settings"])
    return Asked(call, published, f"{base}{FILES_PATH}"), body


async def _find(call: Call[Any, PublicationAlias], connection: Connection) -> Published:
    published = await select_published(connection, call.parameters.alias)
    if published is None:
        raise NotPublishedError(call.parameters.alias)
    return published


def _cached(content: Json, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": CACHED}
    text = json.dumps(content, ensure_ascii=False)
    return Response(text, headers=headers, media_type="application/json")


def _matches(header: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak and strong ones are the same here."""
    named = [each.strip().removeprefix("W/") for each in header.split(",")]
    return MATCHES_ANY in named or etag.removeprefix("W/") in named


def _called(
    method: str, path: str, handler: Any, parameters: type, body: type = Nothing
) -> Operation:
    return Operation(
        method=method,
        path=f"{PREFIX}{path}",
        handler=handler,
        body=body,
        body_format="raw",
        needs_body=False,
        parameters=parameters,
        result=Response,
        responses={"200": ANSWER},
        refusal=A2AError,
        further_errors=[NotPublishedError, NotYoursError],
        bounded=True,
        lends=False,
        scopes=CHATS if method == "GET" else CHATTING,
        rest="operation",
    )


def _public(path: str, handler: Any, responses: Json, **others: Any) -> Operation:
    return Operation(
        method="GET",
        path=path,
        handler=handler,
        result=Response,
        responses=responses,
        refusal=A2AError,
        access=Access.ANYONE,
        **others,
    )


operations = [
    _public(KEYS_PATH, list_keys, {"200": KEYS}, fails=False),
    *(
        _public(
            f"{PREFIX}{{alias}}{path}",
            read_card,
            {"200": CARD, "304": NOT_MODIFIED},
            parameters=PublicationAlias,
            further_errors=[NotPublishedError],
            old_place=old_place,
        )
        for path, old_place in ((CARD_PATH, ""), (CARD_PATH_OF_BEFORE, "of_before"))
    ),
    _called("POST", "{alias}", create_rpc_call, PublicationAlias, RpcCall),
    _called("GET", "{alias}/{operation}", read_by_operation, OperationPath),
    _called("POST", "{alias}/{operation}", create_http_call, OperationPath, OperationBody),
    _called("DELETE", "{alias}/{operation}", delete_by_operation, OperationPath),
]
