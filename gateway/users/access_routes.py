"""Where users are signed in and which API keys they have, for administrators: read and ended."""

from gateway.audit.acting import acting
from gateway.keys.queries import delete_key
from gateway.signins.queries import end_sign_in, end_sign_ins
from gateway.signins.schemas import Ended
from gateway.users import overseeing_queries as queries
from gateway.users.overseeing import UserKey, UserKeyId, UserPage, UserSignIn, UserSignInId
from gateway.users.schemas import AccountId
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing
from gateway.web.operation import Operation
from gateway.web.paging import Page

SIGN_INS = "/api/users/{user_id}/sign-ins"
KEYS = "/api/users/{user_id}/keys"


async def list_user_sign_ins(call: Call[Nothing, UserPage]) -> Page[UserSignIn]:
    """List where a user is signed in, the one that was used last first."""
    owner = call.parameters.user_id
    return await call.read_page(
        lambda connection, part: queries.select_sign_ins(connection, owner, part)
    )


async def delete_user_sign_in(call: Call[Nothing, UserSignInId]) -> None:
    """End one sign-in of a user: its tokens open nothing any more, its sockets are closed."""
    asked = call.parameters
    async with acting(call) as connection:
        has_ended = await end_sign_in(connection, asked.user_id, asked.sign_in_id)
    if not has_ended:
        raise BadRequestError(f"This user has no sign-in with id '{asked.sign_in_id}'")
    call.state["revocations"].publish([asked.sign_in_id])


async def delete_user_sign_ins(call: Call[Nothing, AccountId]) -> Ended:
    """End all sign-ins of a user."""
    async with acting(call) as connection:
        ended = await end_sign_ins(connection, call.parameters.user_id)
    call.state["revocations"].publish(ended)
    return Ended(len(ended))


async def list_user_keys(call: Call[Nothing, UserPage]) -> Page[UserKey]:
    """List a user's API keys, newest first: how each begins, and what it is for."""
    owner = call.parameters.user_id
    return await call.read_page(
        lambda connection, part: queries.select_keys(connection, owner, part)
    )


async def delete_user_key(call: Call[Nothing, UserKeyId]) -> None:
    """Revoke an API key of a user: it opens nothing any more, and what it has opened is closed."""
    asked = call.parameters
    async with acting(call) as connection:
        deleted = await delete_key(connection, asked.user_id, asked.key_id)
    if not deleted:
        raise BadRequestError(f"This user has no API key with id '{asked.key_id}'")
    call.state["revocations"].publish([asked.key_id])


operations = [
    listing(
        SIGN_INS,
        list_user_sign_ins,
        UserPage,
        list[UserSignIn],
        access=Access.ADMIN,
        fails=False,
    ),
    Operation(
        method="DELETE",
        path=SIGN_INS,
        handler=delete_user_sign_ins,
        parameters=AccountId,
        result=Ended,
        access=Access.ADMIN,
        fails=False,
    ),
    delete(SIGN_INS + "/{sign_in_id}", delete_user_sign_in, UserSignInId, access=Access.ADMIN),
    listing(KEYS, list_user_keys, UserPage, list[UserKey], access=Access.ADMIN, fails=False),
    delete(KEYS + "/{key_id}", delete_user_key, UserKeyId, access=Access.ADMIN),
]
