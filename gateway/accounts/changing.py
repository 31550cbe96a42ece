"""Another password: by the old one, or by a token that an administrator or a mail has brought."""

from functools import partial
from typing import Any
from uuid import UUID

from gateway.accounts import letters, links, one_time
from gateway.accounts.admission import count_mail, expect_login, expect_token
from gateway.accounts.changes import AnyUser, AskedReset, PasswordChange, PasswordReset, ResetLink
from gateway.accounts.choosing import (
    check_password,
    expect_passwords,
    hash_new,
    read_own,
    refuse_weak,
)
from gateway.accounts.one_time import Purpose
from gateway.accounts.queries import update_changed
from gateway.audit.acting import acting, actor_of
from gateway.signins.queries import end_sign_ins
from gateway.signins.schemas import Ended
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError, UnavailableError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from gateway.web.refusals import ONE_TIME_TOKEN
from gateway.web.scopes import NO_KEY
from shared.postgres.pool import connect
from shared.telemetry.logging import bind_log_ids

WRONG = "The old password is not the right one"
CHANGED_MEANWHILE = "The password was changed meanwhile"
OVER = "This link is not valid, was used before, or is too old. Please ask for another one"
NO_MAIL = "This installation sends no mail. Please ask an administrator"
MAILS_WAIT = "Too many mails wait to be sent, please try again later"


async def create_password(call: Call[PasswordChange, Nothing]) -> Ended:
    """Change one's own password: all sign-ins but this one end."""
    async with call.turn("create_password"):
        return await _change(call)


async def _change(call: Call[PasswordChange, Nothing]) -> Ended:
    given, state = call.body, call.state
    expect_passwords(call)
    own = await read_own(call)
    trial = expect_login(state["attempts"], state["settings"], call.request, own.username)
    await check_password(call, given.old_password, own, trial, WRONG)
    refuse_weak(given.new_password, "new_password")
    new_hash = await hash_new(call, given.new_password, own.username)
    assert call.caller is not None
    async with acting(call) as connection:
        if not await update_changed(connection, own, new_hash):
            raise BadRequestError(CHANGED_MEANWHILE)
        await one_time.delete_resets(connection, call.user_id)
        ended = await end_sign_ins(connection, call.user_id, call.caller.credential.id)
    state["revocations"].publish(ended)
    _tell_owner(call, call.user_id)
    return Ended(len(ended))


async def create_password_anew(call: Call[PasswordReset, Nothing]) -> None:
    """Set another password by a one-time token: all sign-ins of its user end."""
    expect_passwords(call)
    given, state = call.body, call.state
    trial = expect_token(state["attempts"], state["settings"], call.request)
    await trial.begin()
    async with connect(call.database) as connection:
        holder = await one_time.select_holder(
            connection, given.token, Purpose.RESET, Purpose.RESET_BY_MAIL
        )
    if holder is None:
        raise BadRequestError(OVER, ONE_TIME_TOKEN)
    await trial.succeed()
    bind_log_ids(user_id=holder.id)
    refuse_weak(given.new_password, "new_password")
    new_hash = await hash_new(call, given.new_password, holder.username)
    async with acting(call, holder.id) as connection:
        if await one_time.use_reset(connection, given.token, new_hash) is None:
            raise BadRequestError(OVER, ONE_TIME_TOKEN)
        ended = await end_sign_ins(connection, holder.id)
    state["revocations"].publish(ended)
    _tell_owner(call, holder.id)


def _tell_owner(call: Call[Any, Any], user_id: UUID) -> None:
    """Send word to where the user has mail sent, if he has, and where there is room."""
    if call.state["mail"].is_sent:
        call.state["mail"].post(partial(letters.tell_changed, call.database, user_id))


async def create_reset_mail(call: Call[AskedReset, Nothing]) -> None:
    """Have a link to set another password sent to an address that a user has verified.

    The answer is the same, and comes in the same time, whether or not there is one.
    """
    expect_passwords(call)
    state, email = call.state, call.body.email
    if not state["mail"].is_sent:
        raise BadRequestError(NO_MAIL)
    await count_mail(state["attempts"], state["settings"], call.request, email)
    write = partial(letters.write_reset, call.database, actor_of(call), state["settings"], email)
    if not state["mail"].post(write):
        raise UnavailableError(MAILS_WAIT)


async def create_reset_link(call: Call[Nothing, AnyUser]) -> ResetLink:
    """Make a link by which a user sets another password, once.

    A former one is void.
    """
    expect_passwords(call)
    settings, user_id = call.state["settings"], call.parameters.user_id
    async with acting(call) as connection:
        made = await links.create_link(connection, settings, user_id)
    if made is None:
        raise BadRequestError(f"User '{user_id}' does not exist, or is locked")
    return made


RESET = "/api/password-reset"
operations = [
    Operation(
        method="POST",
        path="/api/me/password",
        handler=create_password,
        body=PasswordChange,
        result=Ended,
        bounded=True,
        lends=False,
    ),
    Operation(
        method="POST",
        path=RESET,
        handler=create_password_anew,
        body=PasswordReset,
        status=204,
        access=Access.ANYONE,
        bounded=True,
    ),
    Operation(
        method="POST",
        path=f"{RESET}/mail",
        handler=create_reset_mail,
        body=AskedReset,
        status=202,
        access=Access.ANYONE,
        bounded=True,
    ),
    Operation(
        method="POST",
        path="/api/users/{user_id}/password-reset",
        handler=create_reset_link,
        parameters=AnyUser,
        result=ResetLink,
        access=Access.ADMIN,
        scopes=NO_KEY,
    ),
]
