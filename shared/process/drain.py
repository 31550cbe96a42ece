"""Whether a process is on its way out, and what it does then."""

from collections.abc import Awaitable, Callable

from attrs import define


@define
class Drain:
    """Made by an application, begun by its server.

    `leave` ends what the application has begun within so many seconds; HTTP goes on meanwhile.
    """

    leave: Callable[[float], Awaitable[None]]
    grace: float = 0.0
    """Seconds before, in which all but readiness stays as it is, for balancers to notice."""
    has_begun: bool = False
