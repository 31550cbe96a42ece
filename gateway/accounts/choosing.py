"""How a user chooses a password, and shows that it is he who knows the one that he has."""

from typing import Any

from gateway.accounts.admission import Login, expect_login
from gateway.accounts.guessable import find_guessable
from gateway.accounts.passwords import BreachedError, BusyError, Verdict
from gateway.accounts.queries import NO_PASSWORD, Own, select_own
from gateway.accounts.schemas import NoPasswordsError, find_weakness
from gateway.audit.acting import actor_of
from gateway.signins.recent import expect_recent
from gateway.web.auth import DEAD_TOKEN
from gateway.web.call import Call
from gateway.web.errors import BadRequestError, UnauthorizedError, UnavailableError
from gateway.web.refusals import PASSWORD, TOKEN
from shared.codec.faults import Fault, InvalidInputError
from shared.postgres.pool import connect

WRONG = "The password is not the right one"
NO_PASSWORDS = (
    "Nobody signs in by password here. Please sign in by one of the providers that"
    " /api/login/providers names"
)
TOO_BUSY = "Too many people are logging in at the moment, please try again"


def expect_passwords(call: Call[Any, Any]) -> None:
    """Raise NoPasswordsError where providers alone vouch for users."""
    if not call.state["settings"].password_login:
        raise NoPasswordsError(NO_PASSWORDS)


def refuse_weak(password: str, field: str, *, is_told: bool = False) -> None:
    """Raise InvalidInputError for what the contract's rule finds missing.

    The fault repeats the password only where the contract does.
    """
    if weakness := find_weakness(password):
        told = password if is_told else None
        fault = Fault("value_error", ("body", field), f"Value error, {weakness}", told)
        raise InvalidInputError([fault])


async def hash_new(call: Call[Any, Any], password: str, username: str) -> str:
    """What is stored of a password that was just chosen.

    Raises BadRequestError where it is easy to guess or known from breaches, UnavailableError.
    """
    if objection := find_guessable(password, username, call.state["settings"]):
        raise BadRequestError(objection)
    try:
        return await call.state["passwords"].hash_new(password)
    except BreachedError as error:
        raise BadRequestError(str(error)) from None
    except BusyError:
        raise UnavailableError(TOO_BUSY) from None


async def read_own(call: Call[Any, Any]) -> Own:
    """The caller as stored. Raises UnauthorizedError where he has just been deleted."""
    async with connect(call.database) as connection:
        own = await select_own(connection, call.user_id)
    if own is None:
        raise UnauthorizedError(DEAD_TOKEN, TOKEN)
    return own


async def check_password(
    call: Call[Any, Any], password: str, own: Own, trial: Login, sentence: str
) -> None:
    """Raise BadRequestError with this sentence unless it is the user's own.

    Raises TooManyRequestsError, as at a login, and UnavailableError.
    """
    await trial.check()
    try:
        verdict = await call.state["passwords"].verify(password, own.password, trial)
    except BusyError:
        raise UnavailableError(TOO_BUSY) from None
    if verdict is Verdict.WRONG:
        await call.state["failures"].note(actor_of(call), own.id, "password", "wrong")
        raise BadRequestError(sentence, PASSWORD)


async def ask_password(call: Call[Any, Any], password: str) -> None:
    """Have the caller show that it is he: by his password, or else by a recent sign-in.

    Raises BadRequestError and what `check_password` does, or StaleSignInError where he has no
    password to sign in by.
    """
    own, state = await read_own(call), call.state
    if own.password == NO_PASSWORD or not state["settings"].password_login:
        await expect_recent(call)
        return
    trial = expect_login(state["attempts"], state["settings"], call.request, own.username)
    await check_password(call, password, own, trial, WRONG)
