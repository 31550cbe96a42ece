"""What clients of MCP send, and what they are told where there is no answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeGuard

from attrs import field, frozen
from msgspec import UNSET, Meta, UnsetType
from starlette.types import Scope

from gateway.mcpserver.metadata import challenge
from gateway.openapi.schemas import Json
from gateway.web.auth import DEAD_TOKEN
from gateway.web.errors import (
    ApiError,
    BadRequestError,
    Form,
    InsufficientScopeError,
    UnauthorizedError,
)
from gateway.web.sentences import sentence
from shared.codec.faults import InvalidInputError
from shared.codec.hooks import Rule
from shared.codec.rules import INTEGER_LIMIT

JSON, EVENTS = "application/json", "text/event-stream"
# JSON-RPC 2.0, 5.1
PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
ID_LIMIT = 255  # characters
NO_ID = f"An id must be an integer of 64 bits, or a text of at most {ID_LIMIT} characters"
NOT_SERVED = -32000  # the first of those that a server may define: HTTP says what it is
FIRST_OF_SERVER = 500

type RpcId = str | int


def is_id(value: object) -> TypeGuard[RpcId]:
    """Whether a request, or its progress, may be called so."""
    match value:
        case bool():
            return False
        case int():
            return abs(value) < INTEGER_LIMIT
        case str():
            return len(value) <= ID_LIMIT
    return False


def _objection(value: object) -> str | None:
    return None if is_id(value) else NO_ID


Id = Annotated[
    Any,
    Rule(_objection),
    Meta(
        description="How the client calls its request; a notification has none.",
        extra_json_schema={
            "anyOf": [
                {"type": "string", "maxLength": ID_LIMIT},
                {"type": "integer", "minimum": 1 - INTEGER_LIMIT, "maximum": INTEGER_LIMIT - 1},
            ]
        },
    ),
]


@frozen
class RpcMessage:
    """A message of JSON-RPC 2.0: a request, a notification, or a response, which is ignored."""

    example: ClassVar[Json] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    added_schema: ClassVar[Json] = {
        "anyOf": [{"required": ["method"]}, {"required": ["result"]}, {"required": ["error"]}],
    }

    jsonrpc: Literal["2.0"]
    method: str | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = field(default=UNSET, repr=False)
    result: dict[str, Any] | UnsetType = field(default=UNSET, repr=False)
    error: dict[str, Any] | UnsetType = field(default=UNSET, repr=False)


@frozen(slots=False)
class RpcErrorDetails:
    """What went wrong."""

    code: int
    message: str


@frozen(slots=False)
class RpcError(Form):
    """An error of JSON-RPC; without the id of a request where it is about none that is known."""

    error: RpcErrorDetails
    id: Annotated[Any, Meta(extra_json_schema={"type": ["string", "integer", "null"]})] = None
    jsonrpc: Literal["2.0"] = "2.0"

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """What a caller is told of an error."""
        if isinstance(error, RefusedMessageError):
            code = error.code
        else:
            code = INTERNAL_ERROR if error.status >= FIRST_OF_SERVER else NOT_SERVED
        return cls(RpcErrorDetails(code, error.detail), error.about)

    @classmethod
    def headers_of(cls, error: ApiError, scope: Scope) -> Mapping[str, str]:
        """Those of the error; 401 and a missing scope say where the metadata are."""
        if isinstance(error, UnauthorizedError):
            has_token = error.detail == DEAD_TOKEN
            return challenge(scope, ['error="invalid_token"'] if has_token else [])
        if isinstance(error, InsufficientScopeError):
            return challenge(scope, error.parameters)
        return error.headers

    @classmethod
    def malformed(cls, error: InvalidInputError) -> ApiError:
        """The first of the faults."""
        fault = error.faults[0]
        if fault.type == "json_invalid":
            return RefusedMessageError("The body is no JSON", PARSE_ERROR)
        if len(fault.loc) < len(("body", "field")):
            return RefusedMessageError("The body must be one message of JSON-RPC")
        if fault.type == "missing":
            return RefusedMessageError(f"'{fault.loc[1]}' is missing")
        return RefusedMessageError(sentence(fault))


class RefusedMessageError(BadRequestError):
    """The message is none of JSON-RPC, or none that may be sent here."""

    def __init__(self, detail: str, code: int = INVALID_REQUEST) -> None:
        super().__init__(detail)
        self.code = code


class ForbiddenError(ApiError):
    """The page or host by which it comes is none of ours."""

    status = 403


class NotAcceptableError(ApiError):
    """The client does not take what is answered."""

    status = 406


class WrongMethodError(ApiError):
    """What is wanted is not done with this method."""

    status = 405
    headers = MappingProxyType({"Allow": "POST"})
