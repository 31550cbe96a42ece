"""Who calls, and by what."""

import math
from uuid import UUID

from attrs import frozen


@frozen
class Credential:
    """What the caller has shown: the id of a sign-in, API key or agent, and when it expires.

    A service's has none, nor has a user's token that is older than sign-ins.
    """

    id: UUID | None = None
    expires_at: float = math.inf
    """Seconds since 1970."""


@frozen
class Caller:
    """The user in whose name the caller acts, and the agent or the service if it is one."""

    user_id: UUID
    agent_id: UUID | None = None
    is_service: bool = False
    credential: Credential = Credential()
