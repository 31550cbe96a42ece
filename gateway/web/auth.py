"""Who is asking: a user, an agent for its creator, or the master agent as a service."""

from enum import Enum
from hmac import compare_digest
from uuid import UUID

from databases.core import Connection
from starlette.requests import HTTPConnection

from gateway.state import State
from gateway.web.addresses import host_of
from gateway.web.callers import Caller, Credential
from gateway.web.errors import BadRequestError, ForbiddenError, UnauthorizedError
from gateway.web.refusals import API_KEY, TOKEN
from gateway.web.scopes import ADMINISTERING
from shared.codec.converter import structure
from shared.codec.faults import Fault, InvalidInputError
from shared.postgres.pool import connect
from shared.settings.gateway import GatewaySettings
from shared.telemetry.logging import bind_log_ids
from shared.tokens import (
    read_expiring,
    read_signed_token,
    read_token,
    select_is_current,
)

NOT_AUTHENTICATED = "Not authenticated"
DEAD_TOKEN = "Token is not valid or expired. Please log in again"  # noqa: S105
STRANGER = "gateway.stranger"  # in a scope: under what it counts as a stranger's
NO_CALLER = "You must provide either 'user_id' or your jwt token to continue."
TWO_CALLERS = "You must provide either 'user_id' or your jwt token, but not both at the same time."
NOT_ADMIN = "Only administrators may do this"
NO_LOOKUP = "Lookup by user_id is not allowed for plain authenticated users."


class Access(Enum):
    """Whom an operation lets in."""

    ANYONE = "anyone"
    USER = "user"
    USER_OR_AGENT = "user or agent"
    USER_AGENT_OR_SERVICE = "user, agent or service"
    USER_OR_SERVICE = "user or service"
    ADMIN = "administrator"

    @property
    def lets_in_services(self) -> bool:
        """Whether a service may call in a user's name, which the query names then."""
        return self in (Access.USER_OR_SERVICE, Access.USER_AGENT_OR_SERVICE)

    @property
    def lets_in_agents(self) -> bool:
        """Whether an agent may call in its creator's name."""
        return self in (Access.USER_OR_AGENT, Access.USER_AGENT_OR_SERVICE)


async def authenticate(
    connection: Connection, request: HTTPConnection, state: State, access: Access
) -> Caller:
    """The caller, where not anyone may call.

    Raises UnauthorizedError, BadRequestError, ForbiddenError.
    """
    settings = state["settings"]
    service = access.lets_in_services
    if service and "user_id" in request.query_params:
        return await _read_service(connection, request, settings)
    if service and not request.headers.get("authorization"):
        raise BadRequestError(NO_CALLER)
    token = _bearer_token(request)
    caller = await find_caller(connection, request, state, token)
    if caller is None or (caller.agent_id is not None and not access.lets_in_agents):
        bind_holder(settings, token)
        raise UnauthorizedError(DEAD_TOKEN, TOKEN)
    if access is Access.ADMIN:
        async with connect(state["database"]) as again:  # it may have been given back
            if not await _select_is_admin(again, caller.user_id):
                raise ForbiddenError(NOT_ADMIN)
    return caller


async def find_caller(
    connection: Connection, request: HTTPConnection, state: State, token: str
) -> Caller | None:
    """Whom a token stands for, if its sign-in goes on, or it is its agent's current one.

    The one way in for whoever brings a bearer, API keys and providers' tokens too. The task's
    connection may be another one afterwards: a provider is asked without. Raises
    TooManyRequestsError where too many keys came from its address that there are not.
    """
    if state["keys"].is_one(token):
        return await _find_holder(connection, request, state, token)
    claims, expires_at = read_expiring(state["settings"].secret_key, token)
    if claims is None:
        return await _find_person(request, state, token)
    if claims.sign_in_id is not None:
        is_good = not await state["revocations"].is_over(connection, claims.sign_in_id)
    elif claims.agent_id is not None:
        is_good = await select_is_current(connection, claims, token)
    else:
        is_good = await _select_may_call(connection, claims.user_id)
    credential = Credential(claims.sign_in_id or claims.agent_id, expires_at)
    caller = Caller(claims.user_id, claims.agent_id, credential=credential)
    return caller if is_good else None


async def _find_holder(
    connection: Connection, request: HTTPConnection, state: State, key: str
) -> Caller | None:
    caller = await state["keys"].find(connection, key, host_of(request))
    if caller is not None:
        state["strangers"].forget(request.scope.get(STRANGER))
    return caller


async def _find_person(request: HTTPConnection, state: State, token: str) -> Caller | None:
    caller = await state["bearers"].find_caller(state["database"], token)
    if caller is not None:
        state["strangers"].forget(request.scope.get(STRANGER))
    return caller


async def check_administrator(connection: Connection, caller: Caller) -> None:
    """Raise ForbiddenError for who is none, InsufficientScopeError for a key that is not for it."""
    caller.check_scopes(ADMINISTERING)
    if not await _select_is_admin(connection, caller.user_id):
        raise ForbiddenError(NOT_ADMIN)


def bind_holder(settings: GatewaySettings, token: str) -> None:
    """Have what is logged of a refused token say whose it is, where it is one of ours."""
    if claims := read_signed_token(settings.secret_key, token):
        bind_log_ids(user_id=claims.user_id)
        if claims.agent_id is not None:
            bind_log_ids(agent_id=claims.agent_id)


def shows_credentials(connection: HTTPConnection, state: State) -> bool:
    """Whether it comes with a token that we have signed, an API key known here or a service's.

    Whether its user is still there is for the database to say, when it is that call's turn.
    """
    headers, settings, keys = connection.headers, state["settings"], state["keys"]
    _, _, token = headers.get("authorization", "").partition(" ")
    if connection.scope["type"] == "websocket":
        token = connection.query_params.get("token", "")
    if keys.is_one(token):
        return keys.knows(token)
    is_good = bool(token) and read_token(settings.secret_key, token) is not None
    return is_good or _is_service_key(headers.get("x-api-key", ""), settings)


def _is_service_key(key: str, settings: GatewaySettings) -> bool:
    wanted = settings.key_of_services
    return wanted is not None and compare_digest(key.encode(), wanted.encode())


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
    if not _is_service_key(request.headers.get("x-api-key", ""), settings):
        raise UnauthorizedError(NOT_AUTHENTICATED, API_KEY)
    user_id = _user_id(request.query_params["user_id"])
    if not await _select_exists(connection, user_id):
        raise BadRequestError(f"User '{user_id}' does not exist")
    return Caller(user_id, is_service=True)


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


async def _select_is_admin(connection: Connection, user_id: UUID) -> bool:
    sql = "SELECT EXISTS (SELECT FROM users WHERE id = :user_id AND role = 'admin')"
    return bool(await connection.fetch_val(sql, {"user_id": user_id}))


async def _select_may_call(connection: Connection, user_id: UUID) -> bool:
    sql = "SELECT EXISTS (SELECT FROM users WHERE id = :user_id AND locked_at IS NULL)"
    return bool(await connection.fetch_val(sql, {"user_id": user_id}))
