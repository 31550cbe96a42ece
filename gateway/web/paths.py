"""Finding the route of a path at once, where no part of it is a parameter."""

from collections import defaultdict
from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class FixedPaths(BaseRoute):
    """Routes without parameters, by their paths.

    Starlette tries one route after the other, which took 20 of some 400 µs for the last of ours.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: defaultdict[str, list[Route]] = defaultdict(list)
        for route in routes:
            self._routes[route.path].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """What the route says that takes the method, or else the first of this path."""
        found = Match.NONE, dict[str, object]()
        for route in self._routes.get(scope["path"], []):
            match, child_scope = route.matches(scope)
            if match.value > found[0].value:
                found = match, {**child_scope, "route": route}
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the route that was found."""
        await scope["route"].handle(scope, receive, send)
