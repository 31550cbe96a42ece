"""Where a user has mail sent: an address counts when he has shown that it reaches him."""

from functools import partial
from typing import Any

from gateway.accounts import letters, one_time
from gateway.accounts.admission import count_mail, expect_login, expect_token
from gateway.accounts.changes import Email, EmailProof, NewEmail
from gateway.accounts.changing import MAILS_WAIT, NO_MAIL, OVER
from gateway.accounts.choosing import WRONG, ask_password, check_password
from gateway.accounts.email_queries import delete_email, select_email
from gateway.accounts.one_time import Purpose, TakenError
from gateway.accounts.queries import Own
from gateway.audit.acting import acting
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError, UnavailableError
from gateway.web.inputs import Nothing
from gateway.web.lines import get, post
from gateway.web.operation import Operation
from gateway.web.refusals import ONE_TIME_TOKEN
from shared.postgres.pool import connect
from shared.telemetry.logging import bind_log_ids

TAKEN = "This address is another account's"
PATH = "/api/me/email"


async def read_email(call: Call[Nothing, Nothing]) -> Email:
    """Read where the user has mail sent."""
    async with connect(call.database) as connection:
        found = await select_email(connection, call.user_id)
    if found is None:
        return Email(None, None, None)
    return Email(found.email, found.verified_at, found.unverified)


async def create_email(call: Call[NewEmail, Nothing]) -> Email:
    """Have mail sent to another address, or to none; the password is asked for, if there is one.

    A mail goes to the address, with a link that shows that it is the user's. Until then the
    former one stays.
    """
    given, state = call.body, call.state
    if given.email is not None and not state["mail"].is_sent:
        raise BadRequestError(NO_MAIL)
    async with call.turn("create_email"):
        await ask_password(call, given.password)
        if given.email is None:
            async with acting(call) as connection:
                await delete_email(connection, call.user_id)
        else:
            await _send_proof(call, given.email)
        current = await read_email(call)  # type: ignore[arg-type]
    return Email(current.email, current.verified_at, given.email)


async def _send_proof(call: Call[NewEmail, Nothing], email: str) -> None:
    state, user_id = call.state, call.user_id
    await count_mail(state["attempts"], state["settings"], call.request, email, user_id)
    write = partial(letters.write_proof, call.database, state["settings"], user_id, email)
    if not state["mail"].post(write):
        raise UnavailableError(MAILS_WAIT)


async def create_email_proof(call: Call[EmailProof, Nothing]) -> None:
    """Show that an address is one's own: by what was sent there, and by one's password.

    Without the password somebody could have an address put to his account by whom it belongs to.
    """
    given, state = call.body, call.state
    holder = await find_asking(call, given.token)
    trial = expect_login(state["attempts"], state["settings"], call.request, holder.username)
    await check_password(call, given.password, holder, trial, WRONG)
    await take_proof(call, holder, given.token)


async def find_asking(call: Call[Any, Any], token: str) -> Own:
    """Who has asked for the mail that has brought a token. Raises BadRequestError.

    And TooManyRequestsError, where too many that are none came from its address.
    """
    presented = expect_token(call.state["attempts"], call.state["settings"], call.request)
    await presented.begin()
    async with connect(call.database) as connection:
        holder = await one_time.select_holder(connection, token, Purpose.EMAIL)
    if holder is None:
        raise BadRequestError(OVER, ONE_TIME_TOKEN)
    await presented.succeed()
    bind_log_ids(user_id=holder.id)
    return holder


async def take_proof(call: Call[Any, Any], holder: Own, token: str) -> None:
    """Give who has asked the address that the token came to. Raises BadRequestError."""
    try:
        async with acting(call, holder.id) as connection:
            if not await one_time.use_email(connection, token):
                raise BadRequestError(OVER, ONE_TIME_TOKEN)
    except TakenError:
        raise BadRequestError(TAKEN) from None


operations = [
    get(PATH, read_email, Nothing, Email, fails=False),
    post(PATH, create_email, NewEmail, Email, bounded=True, lends=False),
    Operation(
        method="POST",
        path="/api/email-verification",
        handler=create_email_proof,
        body=EmailProof,
        status=204,
        access=Access.ANYONE,
        bounded=True,
    ),
]
