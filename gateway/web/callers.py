"""Who calls, and by what."""

import math
from collections.abc import Callable, Collection
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
    """Whether what it hangs on has been told as changed since it was checked."""
    hangs_on: Collection[UUID] = field(default=(), eq=False)
    """Ids besides its own: of a sign-in none, as all that ends it is told by its own."""

    @property
    def ids(self) -> list[UUID]:
        """By which is told that it has ended, or may have."""
        return [*([] if self.id is None else [self.id]), *self.hangs_on]


@frozen
class Caller:
    """The user in whose name the caller acts, and the agent or the service if it is one."""

    user_id: UUID
    agent_id: UUID | None = None
    is_service: bool = False
    credential: Credential = Credential()
    scopes: frozenset[Scope] | None = None
    """Of an API key or a provider's token; None: it may what its operation lets its user."""

    def check_scopes(self, opening: Scopes) -> None:
        """Raise InsufficientScopeError for who has scopes, and none of these."""
        if self.scopes is not None and self.scopes.isdisjoint(opening):
            raise InsufficientScopeError(opening)
