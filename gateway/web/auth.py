"""Who is asking: a user, an agent for its creator, or the master agent as a service."""

from enum import Enum
from hmac import compare_digest
from uuid import UUID

from attrs import frozen
from databases.core import Connection
from starlette.requests import HTTPConnection

from gateway.web.errors import BadRequestError, UnauthorizedError
from shared.codec.converter import structure
from shared.codec.faults import Fault, InvalidInputError
from shared.settings.gateway import GatewaySettings
from shared.tokens import read_token, select_is_current

NOT_AUTHENTICATED = "Not authenticated"
DEAD_TOKEN = "Token is not valid or expired. Please log in again"  # noqa: S105
NO_CALLER = "You must provide either 'user_id' or your jwt token to continue."
TWO_CALLERS = "You must provide either 'user_id' or your jwt token, but not both at the same time."
NO_LOOKUP = "Lookup by user_id is not allowed for plain authenticated users."


class Access(Enum):
    """Whom an operation lets in."""

    ANYONE = "anyone"
    USER = "user"
    USER_OR_AGENT = "user or agent"
    USER_AGENT_OR_SERVICE = "user, agent or service"
    USER_OR_SERVICE = "user or service"

    @property
    def lets_in_services(self) -> bool:
        """Whether a service may call in a user's name, which the query names then."""
        return self in (Access.USER_OR_SERVICE, Access.USER_AGENT_OR_SERVICE)

    @property
    def lets_in_agents(self) -> bool:
        """Whether an agent may call in its creator's name."""
        return self in (Access.USER_OR_AGENT, Access.USER_AGENT_OR_SERVICE)


@frozen
class Caller:
    """The user in whose name the caller acts, and the agent if it is one."""

    user_id: UUID
    agent_id: UUID | None = None


async def authenticate(
    connection: Connection, request: HTTPConnection, settings: GatewaySettings, access: Access
) -> Caller:
    """The caller, where not anyone may call. Raises UnauthorizedError or BadRequestError."""
    service = access.lets_in_services
    if service and "user_id" in request.query_params:
        return await _read_service(connection, request, settings)
    if service and not request.headers.get("authorization"):
        raise BadRequestError(NO_CALLER)
    caller = await find_caller(connection, settings, _bearer_token(request))
    if caller is None or (caller.agent_id is not None and not access.lets_in_agents):
        raise UnauthorizedError(DEAD_TOKEN)
    return caller


async def find_caller(
    connection: Connection, settings: GatewaySettings, token: str
) -> Caller | None:
    """Whom a token stands for, if it is good: its user exists, or it is its agent's current one."""
    claims = read_token(settings.secret_key, token)
    if claims is None:
        return None
    if claims.agent_id is None:
        is_good = await _select_exists(connection, claims.user_id)
    else:
        is_good = await select_is_current(connection, claims, token)
    return Caller(claims.user_id, claims.agent_id) if is_good else None


def _bearer_token(request: HTTPConnection) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthorizedError(NOT_AUTHENTICATED)
    return token


async def _read_service(
    connection: Connection, request: HTTPConnection, settings: GatewaySettings
) -> Caller:
    if request.headers.get("authorization"):
        raise BadRequestError(TWO_CALLERS if "x-api-key" in request.headers else NO_LOOKUP)
    key, wanted = request.headers.get("x-api-key", ""), settings.key_of_services
    if wanted is None or not compare_digest(key.encode(), wanted.encode()):
        raise UnauthorizedError(NOT_AUTHENTICATED)
    user_id = _user_id(request.query_params["user_id"])
    if not await _select_exists(connection, user_id):
        raise BadRequestError(f"User '{user_id}' does not exist")
    return Caller(user_id)


def _user_id(text: str) -> UUID:
    try:
        return structure(text, UUID)
    except InvalidInputError as error:
        [fault] = error.faults
        located = Fault(fault.type, ("query", "user_id"), fault.msg, fault.input)
        raise InvalidInputError([located]) from None


async def _select_exists(connection: Connection, user_id: UUID) -> bool:
    sql = "SELECT EXISTS (SELECT FROM users WHERE id = :user_id)"
    return bool(await connection.fetch_val(sql, {"user_id": user_id}))
