"""One message of a client: what it says of itself, and whether it may be sent like that.

Revisions up to 2025-11-25 begin with a handshake, and the header names what was agreed on then. Of
later ones each request says everything itself, and the SDK knows what has to agree with what.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

from attrs import field, frozen
from mcp import MCPError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp_types import DEFAULT_NEGOTIATED_VERSION, HEADER_MISMATCH, INVALID_PARAMS, ErrorData
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, is_version_at_least
from msgspec import UNSET
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from gateway.mcpserver.schemas import (
    ForbiddenError,
    NotAcceptableError,
    RefusedMessageError,
    RpcId,
    RpcMessage,
    is_id,
)
from gateway.web.answer import NO_HEADERS, Answer
from gateway.web.origins import is_rebound, is_welcome
from shared.codec.depth import has_more_values
from shared.codec.text import write_json
from shared.settings.gateway import GatewaySettings

VERSION = "mcp-protocol-version"
SESSION = "mcp-session-id"
RESUMING = "2025-11-25"  # the first revision whose clients know an event without data
COME_BACK = b"retry: 1000\n"  # milliseconds after a break, to whichever gateway is there
VALUES_LIMIT = 1000  # of a message, those in others too
TOO_MANY_VALUES = f"The parameters must have at most {VALUES_LIMIT:,} values"
OK = 200

_session = re.compile(r"[\x21-\x7e]{1,255}")


@frozen
class Exchange:
    """A request or notification, and the revision that it is of."""

    version: str
    is_modern: bool
    """Whether it is of a revision without handshakes and sessions."""
    session: str
    """How the client names its session; empty: it has none."""
    method: str
    id: RpcId | None
    """None: it is a notification."""
    params: dict[str, Any] | None = field(repr=False)
    client: tuple[Any, Any] = field(default=(None, None), repr=False)
    """What a client without a session says of itself, and that it can do."""

    @property
    def token(self) -> RpcId | None:
        """What progress is to be told under, if it is to be told."""
        token = progress_token_from_params(self.params)
        return token if is_id(token) else None

    @property
    def resumes(self) -> bool:
        """Whether its client comes back with the last event's id when a stream breaks."""
        return not self.is_modern

    @property
    def is_primed(self) -> bool:
        """Whether its client takes an event that has an id and nothing else."""
        return self.resumes and is_version_at_least(self.version, RESUMING)

    def called(self, owner: UUID, id_: RpcId) -> UUID | None:
        """How the request with this id is known, whichever gateway has it; None: it is not.

        Clients count from one: only with their session it is clear whose request is meant.
        """
        if not self.session:
            return None
        return uuid5(owner, f"{self.session} {type(id_).__name__} {id_}")


def new_session() -> str:
    """A name for a session, of which nothing is kept: it tells one client's ids from another's."""
    return uuid4().hex


def trimmed(headers: Headers) -> Headers:
    """The headers without blanks around their values, which the server leaves (RFC 9110, 5.5)."""
    return Headers(raw=[(name, value.strip(b" \t")) for name, value in headers.raw])


def check_sender(connection: HTTPConnection, settings: GatewaySettings) -> None:
    """Raises ForbiddenError for pages that are not welcome, and names that others gave to us."""
    if not is_welcome(connection, settings):
        raise ForbiddenError("Pages of this origin are not served")
    if is_rebound(connection, settings):
        raise ForbiddenError("This is no name of this server")


def check_accepts(headers: Headers, *types: str) -> None:
    """Raises NotAcceptableError unless the client takes all of these."""
    accepted = {
        one.partition(";")[0].strip().lower() for one in headers.get("accept", "").split(",")
    }
    for type_ in types:
        if not accepted & {type_, f"{type_.partition('/')[0]}/*", "*/*"}:
            raise NotAcceptableError(f"The client must accept {' and '.join(types)}")


def handshake_version(headers: Headers) -> str | None:
    """The revision that a session has; None: it is one without sessions, or none at all."""
    version = headers.get(VERSION, DEFAULT_NEGOTIATED_VERSION)
    return version if version in HANDSHAKE_PROTOCOL_VERSIONS else None


def read_exchange(headers: Headers, message: RpcMessage) -> Exchange | None:
    """What a message is; None: a response, which answers nothing, as nothing was asked.

    Raises RefusedMessageError for what may not be sent, and MCPError as the protocol has it.
    """
    version = handshake_version(headers)
    if message.method is UNSET:
        if version is None or (message.result is UNSET and message.error is UNSET):
            raise RefusedMessageError("The message is neither a request nor a notification")
        return None
    params = None if message.params is UNSET else message.params
    id_ = None if message.id is UNSET else message.id
    if has_more_values(_validated(message.method, params or {}), VALUES_LIMIT):
        raise MCPError(INVALID_PARAMS, TOO_MANY_VALUES)
    if version is None:
        return _read_modern(headers, message.method, id_, params)
    session = headers.get(SESSION, "")
    if session and not _session.fullmatch(session):
        raise RefusedMessageError("The session has a name that none can have")
    return Exchange(version, False, session, message.method, id_, params)


def _validated(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the SDK looks at, each value for long: the arguments of a tool are not among it."""
    if method != "tools/call":
        return params
    return {name: value for name, value in params.items() if name != "arguments"}


def _read_modern(
    headers: Headers, method: str, id_: RpcId | None, params: dict[str, Any] | None
) -> Exchange:
    version = headers[VERSION]
    if id_ is None:  # of a notification nothing else has to agree with anything
        if unsupported := unsupported_protocol_version_rejection(version):
            raise _error_of(unsupported)
        return Exchange(version, True, "", method, None, params)
    if duplicated := find_duplicated_routing_header(headers.items()):
        raise MCPError(HEADER_MISMATCH, f"{duplicated} header appears more than once")
    found = classify_inbound_request({"method": method, "params": params}, headers=headers)
    if isinstance(found, InboundLadderRejection):
        raise _error_of(found)
    client = found.client_info, found.client_capabilities
    return Exchange(found.protocol_version, True, "", method, id_, params, client)


def _error_of(rejection: InboundLadderRejection) -> MCPError:
    return MCPError(rejection.code, rejection.message, rejection.data)


def result_of(id_: RpcId, result: dict[str, Any]) -> dict[str, Any]:
    """The response to a request."""
    return {"jsonrpc": "2.0", "id": id_, "result": result}


def error_of(id_: RpcId | None, error: ErrorData) -> dict[str, Any]:
    """The response to a request that can't be met."""
    more = {} if error.data is None else {"data": error.data}
    told = {"code": error.code, "message": error.message, **more}
    return {"jsonrpc": "2.0", "id": id_, "error": told}


def answer(id_: RpcId, result: dict[str, Any], headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    """The response as an answer of HTTP."""
    return Answer([write_json(result_of(id_, result))], OK, headers)


def refuse(id_: RpcId | None, error: ErrorData, *, is_modern: bool) -> Answer:
    """The same of an error: in older revisions HTTP says nothing of it."""
    status = ERROR_CODE_HTTP_STATUS.get(error.code, OK) if is_modern else OK
    return Answer([write_json(error_of(id_, error))], status)
