"""Requests that show no token: their connections count as strangers', and those of proxies do."""

from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.state import State
from gateway.web.addresses import BY_PROXY
from gateway.web.auth import STRANGER, shows_credentials
from gateway.web.errors import TooManyRequestsError
from shared.process.strangers import TOO_MANY


class CountStrangers:
    """Forgets a connection when a token comes over it.

    One with an API key that is not known here yet is forgotten when that has been looked up.

    A proxy's carries requests of everybody. There each that shows no token is counted itself; of
    a socket's handshake nothing is left when it is refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application. Raises TooManyRequestsError."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        strangers, request = cast("State", scope["state"])["strangers"], object()
        connection = scope["client"], scope["server"]
        if scope.get(BY_PROXY):
            is_counted = scope["type"] == "http" and not _is_known(scope)
            if is_counted and not strangers.admit(request, scope["client"][0]):
                raise TooManyRequestsError(TOO_MANY, 1)
            scope[STRANGER] = request
        elif connection in strangers:
            scope[STRANGER] = connection
            if _is_known(scope):
                strangers.forget(connection)
        try:
            await self.app(scope, receive, send)
        finally:
            strangers.forget(request)


def _is_known(scope: Scope) -> bool:
    return shows_credentials(HTTPConnection(scope), cast("State", scope["state"]))
