"""Who calls, and by what."""

import math
from collections.abc import Callable
from uuid import UUID

from attrs import field, frozen

from gateway.web.errors import InsufficientScopeError
from gateway.web.scopes import Scope, Scopes


def _never() -> bool:
    return False


@frozen
class Credential:
    """What the caller has shown: the id of a sign-in, API key or agent, and when it expires.

    A service's has none, nor has a user's token that is older than sign-ins.
    """

    id: UUID | None = None
    expires_at: float = math.inf
    """Seconds since 1970."""
    is_over: Callable[[], bool] = field(default=_never, eq=False, repr=False)
    """Whether an API key or its user has been told as changed since it was checked."""
    ends_with_user: bool = field(default=False, eq=False)
    """Whether a change of its user is told by his id alone, as where it is no sign-in."""


@frozen
class Caller:
    """The user in whose name the caller acts, and the agent or the service if it is one."""

    user_id: UUID
    agent_id: UUID | None = None
    is_service: bool = False
    credential: Credential = Credential()
    scopes: frozenset[Scope] | None = None
    """Those of an API key; None: it is none, and may what its operation lets it."""

    def check_scopes(self, opening: Scopes) -> None:
        """Raise InsufficientScopeError for an API key that has none of these scopes."""
        if self.scopes is not None and self.scopes.isdisjoint(opening):
            raise InsufficientScopeError(opening)
