"""What stands around WebSockets: it counts them, and lets an open one go on without the rest.

One that is open for hours would keep the frames and scopes of all that its handshake has come
through, which is a third of the memory that it takes.
"""

from collections.abc import Awaitable, Callable

from attrs import define, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.web.metrics import SOCKETS_CLOSED, SOCKETS_OPEN, SOCKETS_REFUSED
from shared.process.sockets import LOST

CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012, 1013})
INTERNAL_ERROR = 1011
AFTERWARDS = "gateway.afterwards"  # extension of ASGI: what is served when all have returned
KEPT = ("type", "client", "state")  # of a scope, besides a header
TRACE = b"traceparent"

type Serve = Callable[[WebSocket], Awaitable[None]]


async def go_on(websocket: WebSocket, serve: Serve) -> None:
    """Serve a socket: when everything that stands around it has returned, or else now.

    What it is then served by knows its client, its state and what it is traced by.
    """
    scope = websocket.scope
    afterwards = scope.get("extensions", {}).get(AFTERWARDS)
    if afterwards is None:
        await serve(websocket)
        return
    headers = [each for each in scope["headers"] if each[0] == TRACE]
    kept = {name: scope[name] for name in KEPT}
    afterwards(({**kept, "headers": headers}, serve))


class OpenSockets:
    """Stands around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._state: object = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and then what it has left to be served."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        self._state = self._state or scope["state"]
        scope["state"] = self._state  # the server copies it for each
        left: list[tuple[Scope, Serve]] = []
        scope["extensions"] = {**scope["extensions"], AFTERWARDS: left.append}
        counted = _Counted(receive, send)
        try:
            await self.app(scope, counted.receive, counted.send)
            if left:
                kept, serve = left.pop()
                counted.scope = scope
                await serve(WebSocket(kept, counted.receive, counted.send))
        finally:
            counted.end()


@define
class _Counted:
    """A socket, as it is seen by who counts."""

    _receive: Receive
    _send: Send
    scope: Scope | None = field(default=None, init=False)
    """What nobody but the server needs any more, and it until the socket is accepted."""
    _code: int | None = field(default=None, init=False)
    _is_accepted: bool = field(default=False, init=False)

    async def receive(self) -> Message:
        """What the client says."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self._code is None:
            self._code = message.get("code", 1005)
        return message

    async def send(self, message: Message) -> None:
        """Tell the client."""
        if message["type"] == "websocket.close" and self._is_accepted and self._code is None:
            self._code = message.get("code", 1000)  # also where the client does not take it
        await self._send(message)
        if message["type"] == "websocket.accept":
            self._is_accepted = True
            SOCKETS_OPEN.inc()
            if self.scope is not None:
                self.scope.clear()
        elif message["type"] == "websocket.close" and not self._is_accepted:
            SOCKETS_REFUSED.inc()

    def end(self) -> None:
        """It is no more."""
        if self._is_accepted:
            SOCKETS_OPEN.dec()
            SOCKETS_CLOSED.labels(_name(self._code)).inc()


def _name(code: int | None) -> str:
    if code == LOST:
        return "lost"
    code = INTERNAL_ERROR if code is None else code  # the server's, for an application that failed
    return str(code) if code in CLOSE_CODES else "other"
