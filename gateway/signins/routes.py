"""Where a user is signed in, and how that ends."""

from uuid import UUID

from gateway.audit.acting import acting
from gateway.signins import queries
from gateway.signins.recent import expect_recent
from gateway.signins.schemas import Ended, SignIn, SignInId, SignIns
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from shared.postgres.pool import connect

PATH = "/api/sessions/sign-ins"


async def log_out(call: Call[Nothing, Nothing]) -> None:
    """Sign out: the token that comes with this, and its refresh token, open nothing any more."""
    current = _current(call)
    if current is None:
        raise BadRequestError("This token is older than sign-ins: it ends by itself")
    async with acting(call) as connection:
        has_ended = await queries.end_sign_in(connection, call.user_id, current)
    if has_ended:
        call.state["revocations"].publish([current])


async def read_sign_ins(call: Call[Nothing, Nothing]) -> Page[SignIn]:
    """Read where the user is signed in: devices, addresses and times."""
    async with connect(call.database) as connection:
        page = await queries.select_sign_ins(connection, call.user_id, _current(call))
    page.around = lambda _: SignIns([])
    return page


async def delete_sign_in(call: Call[Nothing, SignInId]) -> None:
    """End one sign-in of the user's: its tokens open nothing any more, its sockets are closed."""
    await expect_recent(call)
    id_ = call.parameters.sign_in_id
    async with acting(call) as connection:
        has_ended = await queries.end_sign_in(connection, call.user_id, id_)
    if not has_ended:
        raise BadRequestError(f"You have no sign-in with id '{id_}'")
    call.state["revocations"].publish([id_])


async def delete_other_sign_ins(call: Call[Nothing, Nothing]) -> Ended:
    """End all sign-ins of the user's but the one that this call comes from."""
    await expect_recent(call)
    async with acting(call) as connection:
        ended = await queries.end_sign_ins(connection, call.user_id, _current(call))
    call.state["revocations"].publish(ended)
    return Ended(len(ended))


def _current(call: Call[Nothing, Nothing]) -> UUID | None:
    assert call.caller is not None
    return call.caller.credential.id


operations = [
    Operation(method="POST", path="/api/logout", handler=log_out, status=204),
    listing(PATH, read_sign_ins, Nothing, SignIns, fails=False),
    delete(PATH + "/{sign_in_id}", delete_sign_in, SignInId),
    Operation(method="DELETE", path=PATH, handler=delete_other_sign_ins, result=Ended, fails=False),
]
