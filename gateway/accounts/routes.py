"""Registration, login, the check of a token, and profiles."""

from gateway.accounts import queries
from gateway.accounts.admission import count_registration, expect_login
from gateway.accounts.choosing import TOO_BUSY, expect_passwords, hash_new, refuse_weak
from gateway.accounts.names import clean
from gateway.accounts.passwords import BusyError, Verdict
from gateway.accounts.queries import Credentials
from gateway.accounts.schemas import (
    REFRESH,
    Detail,
    Login,
    NewUser,
    Profile,
    ProfileChanges,
    Token,
    TokenRefusal,
    User,
    UserId,
    WrongCredentialsError,
)
from gateway.audit.acting import acting, actor_of
from gateway.audit.actions import Action
from gateway.signins.beginning import begin_sign_in, renew
from gateway.signins.schemas import TokenPair
from gateway.web.auth import Access, bind_holder, find_caller
from gateway.web.call import Call
from gateway.web.errors import BadRequestError, UnavailableError
from gateway.web.inputs import Nothing
from gateway.web.lines import get, patch, post
from gateway.web.metrics import LOGINS
from gateway.web.refusals import LOGIN_FAILED, TOKEN
from shared.postgres.pool import connect
from shared.telemetry.logging import bind_log_ids

PASSWORD = "password"  # noqa: S105 (how somebody signs in)
REHASHED = {Action.PASSWORD_CHANGED: Action.PASSWORD_REHASHED}


async def create_user(call: Call[NewUser, Nothing]) -> User:
    """Register a user."""
    expect_passwords(call)
    new, name = call.body, clean(call.body.username)
    bind_log_ids(username=name)
    refuse_weak(new.password, "password", is_told=True)
    await count_registration(call.state["attempts"], call.state["settings"], call.request)
    password_hash = await hash_new(call, new.password, name)
    async with acting(call) as connection:
        user = await queries.insert_user(connection, name, password_hash)
    if user is None:
        raise BadRequestError(f"User '{name}' already exists")
    return user


async def create_access_token(call: Call[Login, Nothing]) -> TokenPair:
    """Log in with user name and password, or go on by a refresh token."""
    if call.body.grant_type == REFRESH:
        return await renew(call, call.body.refresh_token)
    expect_passwords(call)
    username, password = call.body.named()
    bind_log_ids(username=username)
    attempts, settings = call.state["attempts"], call.state["settings"]
    login = expect_login(attempts, settings, call.request, username)
    await login.check()
    named = await call.state["named"].do(username)
    stored = named.credentials
    try:
        verdict = await call.state["passwords"].verify(
            password,
            stored.password if stored else None,
            login,
            some_have_bcrypt=named.some_have_bcrypt,
        )
        if stored is None or verdict is Verdict.WRONG:
            LOGINS.labels("wrong").inc()
            tried = stored.id if stored else None
            await call.state["failures"].note(actor_of(call), tried, PASSWORD, "wrong")
            raise WrongCredentialsError("Incorrect username or password", LOGIN_FAILED)
        if verdict is Verdict.OUTDATED:
            await _hash_anew(call, password, stored)
    except BusyError:
        LOGINS.labels("busy").inc()
        raise UnavailableError(TOO_BUSY) from None
    given = await begin_sign_in(call, stored.id, PASSWORD, offline=call.body.wants_refresh_token)
    LOGINS.labels("succeeded").inc()
    return given


async def _hash_anew(call: Call[Login, Nothing], password: str, stored: Credentials) -> None:
    new_hash = await call.state["passwords"].hash(password)
    async with connect(call.database) as connection:
        actor = actor_of(call, stored.id).said(REHASHED)
        await queries.update_password(connection, stored, new_hash, actor)


async def read_token_validity(call: Call[Token, Nothing]) -> Detail:
    """Check whether a token of a user or an agent, or an API key, still lets its holder in."""
    async with connect(call.database) as connection:
        caller = await find_caller(connection, call.request, call.state, call.body.token)
    if caller is None:
        bind_holder(call.state["settings"], call.body.token)
        raise BadRequestError("Token is not valid or expired", TOKEN)
    return Detail("Token is valid")


async def read_profile(call: Call[Nothing, UserId]) -> Profile:
    """Read the user's own profile."""
    async with connect(call.database) as connection:
        profile = await queries.select_profile(connection, call.user_id, call.parameters.user_id)
    if profile is None:
        raise _unknown(call.parameters)
    return profile


async def update_profile(call: Call[ProfileChanges, UserId]) -> Profile:
    """Change the user's own profile; what is left out stays."""
    of = call.user_id, call.parameters.user_id
    async with connect(call.database) as connection:
        profile = await queries.update_profile(connection, *of, call.body)
        if profile is None:
            await queries.insert_profile(connection, *of)
            profile = await queries.update_profile(connection, *of, call.body)
    if profile is None:
        raise _unknown(call.parameters)
    return profile


def _unknown(asked: UserId) -> BadRequestError:
    return BadRequestError(f"Profile with of user with id '{asked.user_id}' was not found")


operations = [
    post(
        "/api/register",
        create_user,
        NewUser,
        User,
        access=Access.ANYONE,
        names={"user_id": "/id"},
        bounded=True,
    ),
    post(
        "/api/login/access-token",
        create_access_token,
        Login,
        TokenPair,
        access=Access.ANYONE,
        body_format="form",
        refusal=TokenRefusal,
        bounded=True,
    ),
    post(
        "/api/validate-token",
        read_token_validity,
        Token,
        Detail,
        access=Access.ANYONE,
        bounded=True,
    ),
    get("/api/profiles/{user_id}", read_profile, UserId, Profile),
    patch("/api/profiles/{user_id}", update_profile, ProfileChanges, UserId, Profile),
]
