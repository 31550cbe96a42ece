"""Showing again who one is, in a sign-in that began some time ago."""

from gateway.accounts.admission import expect_login
from gateway.accounts.changes import ShownPassword
from gateway.accounts.choosing import WRONG, check_password, expect_passwords, read_own
from gateway.signins.queries import update_authenticated
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.postgres.pool import connect

NO_SIGN_IN = "This token is of no sign-in: please log in"


async def create_confirmation(call: Call[ShownPassword, Nothing]) -> None:
    """Show by one's password that it is still oneself: the sign-in counts as new for that.

    Who has none signs in by his provider again.
    """
    expect_passwords(call)
    assert call.caller is not None
    id_, state = call.caller.credential.id, call.state
    async with call.turn("create_confirmation"):
        own = await read_own(call)
        trial = expect_login(state["attempts"], state["settings"], call.request, own.username)
        await check_password(call, call.body.password, own, trial, WRONG)
        async with connect(call.database) as connection:
            is_noted = id_ and await update_authenticated(connection, call.user_id, id_)
    if not is_noted:
        raise BadRequestError(NO_SIGN_IN)


operations = [
    Operation(
        method="POST",
        path="/api/me/confirmation",
        handler=create_confirmation,
        body=ShownPassword,
        status=204,
        bounded=True,
        lends=False,
    ),
]
