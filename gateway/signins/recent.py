"""Who changes how he signs in has shown who he is a short while ago: a token that was stolen, or a
page that was left open, is not enough. Said as RFC 9470 says it.
"""

from types import MappingProxyType
from typing import Any

from gateway.signins import queries
from gateway.web.call import Call
from gateway.web.errors import ForbiddenError
from shared.postgres.pool import connect


class StaleSignInError(ForbiddenError):
    """It is the user, as far as his token says, who has to show again that it is he."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Please show again that it is you: sign in, or confirm your password")
        challenge = f'Bearer error="insufficient_user_authentication", max_age={seconds}'
        self.headers = MappingProxyType({"WWW-Authenticate": challenge})


async def expect_recent(call: Call[Any, Any]) -> None:
    """Raise StaleSignInError unless the caller has signed in, or confirmed it, a short while ago.

    A token that is older than sign-ins has not.
    """
    assert call.caller is not None
    seconds = call.state["settings"].recent_sign_in_seconds
    if not seconds:
        return
    id_ = call.caller.credential.id
    async with connect(call.database) as connection:
        if not await queries.select_is_recent(connection, call.user_id, id_, seconds):
            raise StaleSignInError(seconds)
