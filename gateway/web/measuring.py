"""Counts and times HTTP requests, by what the router made of them."""

from functools import cache
from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.metrics import HTTP_REQUESTS, HTTP_SECONDS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
UNEXPECTED = 500  # for what could not be answered


class Measure:
    """Stands around the answers to errors, which count as what they say."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] == "http":
            await self._measure_request(scope, receive, send)
        else:
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


@cache  # as many as there are routes; looking up the labels takes longer than counting
def _count(method: str, route: str, hundreds: int) -> Counter:
    return HTTP_REQUESTS.labels(method, route, f"{hundreds}xx")


@cache
def _seconds(method: str, route: str) -> Histogram:
    return HTTP_SECONDS.labels(method, route)
