"""Registration, login and the check of a token."""

from gateway.accounts import queries
from gateway.accounts.schemas import Detail, Login, NewUser, Token, TokenPair, User
from gateway.passwords import BusyError
from gateway.web.auth import Access, find_caller
from gateway.web.errors import BadRequestError, UnavailableError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, post
from shared.database import connect
from shared.tokens import issue_user_token

TOO_BUSY = "Too many people are logging in at the moment, please try again"


async def create_user(call: Call[NewUser, Nothing]) -> User:
    """Register a user."""
    new = call.body
    try:
        password_hash = await call.state["passwords"].hash(new.password)
    except BusyError:
        raise UnavailableError(TOO_BUSY) from None
    async with connect(call.database) as connection:
        user = await queries.insert_user(connection, new.username, password_hash)
    if user is None:
        raise BadRequestError(f"User '{new.username}' already exists")
    return user


async def create_access_token(call: Call[Login, Nothing]) -> TokenPair:
    """Log in with user name and password."""
    async with connect(call.database) as connection:
        stored = await queries.select_credentials(connection, call.body.username)
    try:
        matches = await call.state["passwords"].verify(
            call.body.password, stored.password if stored else None
        )
    except BusyError:
        raise UnavailableError(TOO_BUSY) from None
    if stored is None or not matches:
        raise BadRequestError("Incorrect username or password")
    return TokenPair(issue_user_token(call.state["settings"].secret_key, stored.id))


async def read_token_validity(call: Call[Token, Nothing]) -> Detail:
    """Check whether a token of a user or an agent still lets its holder in."""
    async with connect(call.database) as connection:
        caller = await find_caller(connection, call.state["settings"], call.body.token)
    if caller is None:
        raise BadRequestError("Token is not valid or expired")
    return Detail("Token is valid")


operations = [
    post("/api/register", create_user, NewUser, User, access=Access.ANYONE),
    post(
        "/api/login/access-token",
        create_access_token,
        Login,
        TokenPair,
        access=Access.ANYONE,
        body_format="form",
    ),
    post("/api/validate-token", read_token_validity, Token, Detail, access=Access.ANYONE),
]
