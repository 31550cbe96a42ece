"""One WebSocket: what its URL says, the frames it takes and gives, and how it ends.

The classes named here are the ones that parse and build; they describe the socket too.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket


@frozen(kw_only=True)
class Channel:
    """A WebSocket. A frame is an attrs class, sent as JSON, or an annotated text with a title."""

    path: str
    handler: Callable[[WebSocket], Awaitable[None]]
    query: type
    takes: Sequence[Any]
    gives: Sequence[Any]
    closes: Mapping[int, str]  # what each code means

    def route(self) -> WebSocketRoute:
        """What Starlette routes to."""
        return WebSocketRoute(self.path, self.handler, name=self.name)

    @property
    def name(self) -> str:
        """The handler's name."""
        return self.handler.__name__
