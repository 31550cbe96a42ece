"""Logging in at the authorization servers of MCP servers, by a browser."""

from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from uuid import UUID

from msgspec import UNSET
from starlette.responses import JSONResponse, Response

from gateway.audit.acting import acting
from gateway.grants import queries
from gateway.grants.kept import Begun, Flow, GivenClient, Ourselves
from gateway.grants.page import show_end, show_form
from gateway.grants.queries import StoredFlow, StoredServer
from gateway.grants.schemas import (
    Authorization,
    Confirmation,
    OwnClient,
    Return,
)
from gateway.grants.sealing import open_flow, seal_flow, seal_given
from gateway.mcp.kind import MCP_SERVERS
from gateway.mcp.schemas import ServerId
from gateway.remote.errors import UnreachableError
from gateway.remote.kinds import Target
from gateway.remote.urls import show
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.domain.grants import open_grant
from shared.postgres.pool import connect, transaction
from shared.process.later import Later
from shared.secrets import UndecryptableError, id_of

if TYPE_CHECKING:
    from gateway.grants import flows
else:  # which imports the SDK
    flows = Later("gateway.grants.flows")

CALLBACK = "/api/mcp/authorized"
DOCUMENT = "/api/mcp/client"
FLOW_SECONDS = 600.0

NO_PUBLIC_URL = "PUBLIC_URL is not set here: nobody who has logged in could be sent back"
OVER = "It was begun too long ago, or is finished already. Please begin it again."
NOT_YOURS = "It was begun by another user. Please begin it again as yourself."
DONE = "You can close this page: the server's tools can be used now."


async def read_authorization(call: Call[Nothing, ServerId]) -> Authorization:
    """Begin a log-in at the authorization server of one of the user's MCP servers."""
    return await _begin(call, None)


async def create_authorization(call: Call[OwnClient, ServerId]) -> Authorization:
    """Begin a log-in, as a client that the user has had registered at the authorization server.

    It is the same client at the next log-in.
    """
    id_, secret = call.body.client_id, call.body.client_secret
    if id_ is UNSET:
        return await _begin(call, None)
    return await _begin(call, GivenClient(id_, None if secret is UNSET else secret))


async def _begin(call: Call[Any, ServerId], given: GivenClient | None) -> Authorization:
    server_id, vault = call.parameters.server_id, call.state["vault"]
    async with connect(call.database) as connection:
        server = await queries.select_server(connection, call.user_id, server_id)
    if server is None:
        raise _unknown(server_id)
    given = given or _given_before(call, server_id, server)
    try:
        ourselves = _ourselves(call)
        async with call.state["turns"].lookups.turn(call.user_id):
            begun = await flows.begin(call.state["outbound"], server.server_url, ourselves, given)
        id_ = id_of(begun.state)
        flow = seal_flow(vault, id_, begun.flow)
    except UnreachableError as error:
        sentence = f"Nobody can log in at {server.server_url}. {error.sentence}"
        raise BadRequestError(sentence) from None
    return await _store(call, server_id, begun, id_, flow)


def _given_before(
    call: Call[Any, Any], server_id: UUID, server: StoredServer
) -> GivenClient | None:
    if server.oauth is None:
        return None
    try:
        grant = open_grant(call.state["vault"], server_id, server.oauth)
    except UndecryptableError:
        return None  # which logging in anew puts right
    client = grant.client
    if not grant.is_given:
        return None
    return GivenClient(client["client_id"], client.get("client_secret"), client.get("issuer"))


async def _store(
    call: Call[Any, Any], server_id: UUID, begun: Begun, id_: UUID, flow: str
) -> Authorization:
    async with (
        call.turn("create_authorization"),
        connect(call.database) as connection,
        transaction(connection),
    ):
        await queries.delete_old_flows(connection, call.user_id)
        until = await queries.insert_flow(
            connection, id_, call.user_id, server_id, flow, FLOW_SECONDS
        )
    if until is None:
        raise _unknown(server_id)
    return Authorization(begun.authorization_url, until)


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"MCP server with id: {id_} was not found")


def _ourselves(call: Call[Any, Any]) -> Ourselves:
    """Raises UnreachableError where nobody could find us."""
    base = call.state["settings"].public_url
    if base is None:
        raise UnreachableError(NO_PUBLIC_URL)
    return Ourselves(base + CALLBACK, base + DOCUMENT)


async def read_client(call: Call[Nothing, Nothing]) -> Response:
    """Read what authorization servers may know us by: its own URL is the id of the client."""
    try:
        return JSONResponse(await flows.describe(_ourselves(call)))
    except UnreachableError as error:
        raise BadRequestError(error.sentence) from None


async def read_return(call: Call[Nothing, Return]) -> Response:
    """Take a browser back from an authorization server, as a page that asks whose it is."""
    given = call.parameters
    id_ = id_of(given.state)
    if given.error is not UNSET or not given.code:
        async with connect(call.database) as connection:
            await queries.take_flow(connection, id_)
        reason = given.error if given.error is not UNSET else "it gives no code"
        return show_end("Not logged in", f"The authorization server says: {reason}", 400)
    async with connect(call.database) as connection:
        stored = await queries.select_flow(connection, id_)
    flow = _open(call, id_, stored)
    if flow is None:
        return show_end("Not logged in", OVER, 400)
    issuer = {} if given.iss is UNSET else {"iss": given.iss}
    fields = {"state": given.state, "code": given.code, **issuer}
    return show_form(flow.host, show(flow.url), fields)


async def create_grant(call: Call[Confirmation, Nothing]) -> Response:
    """Finish a log-in, where the user who began it is named: once, whatever comes of it."""
    given = call.body
    id_ = id_of(given.state)
    async with connect(call.database) as connection:
        stored = await queries.take_flow(connection, id_)
    flow = _open(call, id_, stored)
    if stored is None or flow is None:
        return show_end("Not logged in", OVER, 400)
    if normalize("NFKC", given.username).strip() != stored.username:
        return show_end("Not logged in", NOT_YOURS, 400)
    try:
        await _finish(call, stored, flow, given)
    except UnreachableError as error:
        return show_end("Not logged in", f"{show(flow.url)}: {error.sentence}.", 400)
    return await _look_up(call, stored, flow)


def _open(call: Call[Any, Any], id_: UUID, stored: StoredFlow | None) -> Flow | None:
    """None: there is none, or it is from before a key was taken away."""
    try:
        return open_flow(call.state["vault"], id_, stored.flow) if stored else None
    except UndecryptableError:
        return None


async def _finish(
    call: Call[Any, Any], stored: StoredFlow, flow: Flow, given: Confirmation
) -> None:
    """Store what is granted. Raises UnreachableError."""
    async with call.state["turns"].lookups.turn(stored.owner):
        got = await flows.finish(call.state["outbound"], flow, given.code, given.iss or None)
    sealed = seal_given(call.state["vault"], stored.server_id, got.grant)
    async with acting(call, stored.owner) as connection:
        is_stored = await queries.update_grant(
            connection, stored.owner, stored.server_id, flow.url, sealed, got.renew_in
        )
    if not is_stored:
        raise UnreachableError("it was deleted meanwhile")


async def _look_up(call: Call[Any, Any], stored: StoredFlow, flow: Flow) -> Response:
    """Have the server's tools at once."""
    async with call.state["turns"].lookups.turn(stored.owner):
        failure = await MCP_SERVERS.look_up_again(
            call.database,
            call.state["vault"],
            call.state["outbound"],
            Target(flow.url, stored.server_id),
        )
    if failure is None:
        return show_end("Logged in", DONE)
    return show_end("Logged in", f"{show(flow.url)} can't be used yet. {failure.sentence}.")


def _browser(method: str, handler: Any, **others: Any) -> Operation:
    page = {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}}
    return Operation(
        method=method,
        path=CALLBACK,
        handler=handler,
        result=Response,
        responses={"200": page, "400": {**page, "description": "A page that says why not"}},
        access=Access.ANYONE,
        **others,
    )


AUTHORIZE = "/api/mcp/servers/{server_id}/authorize"
operations = [
    Operation(
        method="GET",
        path=AUTHORIZE,
        handler=read_authorization,
        parameters=ServerId,
        result=Authorization,
        bounded=True,
        lends=False,
    ),
    Operation(
        method="POST",
        path=AUTHORIZE,
        handler=create_authorization,
        body=OwnClient,
        needs_body=False,
        parameters=ServerId,
        result=Authorization,
        bounded=True,
        lends=False,
    ),
    _browser("GET", read_return, parameters=Return),
    _browser("POST", create_grant, body=Confirmation, body_format="form"),
    Operation(
        method="GET",
        path=DOCUMENT,
        handler=read_client,
        result=Response,
        responses={
            "200": {
                "description": "A client ID metadata document",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
        access=Access.ANYONE,
    ),
]
