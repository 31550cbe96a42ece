"""Whether a process is on its way out, and what it does then."""

from collections.abc import Awaitable, Callable

from attrs import define


@define
class Drain:
    """Made by an application, begun by its server.

    `leave` ends what the application has begun within so many seconds; HTTP goes on meanwhile.
    """

    leave: Callable[[float], Awaitable[None]]
    has_begun: bool = False
