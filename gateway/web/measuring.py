"""Counts and times HTTP requests and WebSockets, by what the router made of them."""

from functools import cache
from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.metrics import (
    HTTP_REQUESTS,
    HTTP_SECONDS,
    SOCKETS_CLOSED,
    SOCKETS_OPEN,
    SOCKETS_REFUSED,
)
from shared.process.server import LOST

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012, 1013})
INTERNAL_ERROR = 1011
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
UNEXPECTED = 500  # for what could not be answered


class Measure:
    """Stands around the answers to errors, which count as what they say."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        match scope["type"]:
            case "http":
                await self._measure_request(scope, receive, send)
            case "websocket":
                await self._measure_socket(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _measure_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, begun = UNEXPECTED, perf_counter()
        ended: float | None = None

        async def send_on(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                if EVENT_STREAM in message["headers"]:  # it goes on for as long as its client likes
                    ended = perf_counter()
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            _count(method, route, status // 100).inc()
            _seconds(method, route).observe((ended or perf_counter()) - begun)

    async def _measure_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        code: int | None = None
        accepted = False

        async def receive_on() -> Message:
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect" and code is None:
                code = message.get("code", 1005)
            return message

        async def send_on(message: Message) -> None:
            nonlocal accepted, code
            if message["type"] == "websocket.close" and accepted and code is None:
                code = message.get("code", 1000)  # also where the client does not take it
            await send(message)
            if message["type"] == "websocket.accept":
                accepted = True
                SOCKETS_OPEN.inc()
            elif message["type"] == "websocket.close" and not accepted:
                SOCKETS_REFUSED.inc()

        try:
            await self.app(scope, receive_on, send_on)
        finally:
            if accepted:
                SOCKETS_OPEN.dec()
                SOCKETS_CLOSED.labels(_name(code)).inc()


def _name(code: int | None) -> str:
    if code == LOST:
        return "lost"
    code = INTERNAL_ERROR if code is None else code  # the server's, for an application that failed
    return str(code) if code in CLOSE_CODES else "other"


@cache  # as many as there are routes; looking up the labels takes longer than counting
def _count(method: str, route: str, hundreds: int) -> Counter:
    return HTTP_REQUESTS.labels(method, route, f"{hundreds}xx")


@cache
def _seconds(method: str, route: str) -> Histogram:
    return HTTP_SECONDS.labels(method, route)
