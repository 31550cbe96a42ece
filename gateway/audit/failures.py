"""Sign-ins that fail: the first is noted at once, those of the minute after it are counted.

So somebody who guesses leaves an entry a minute at each gateway, for each user and network.
"""

import asyncio
import logging
from time import monotonic
from uuid import UUID

from attrs import define, frozen
from databases import Database

from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.networks import network_of

logger = logging.getLogger(__name__)

COUNTED_SECONDS = 60.0
ROUND_SECONDS = 5.0


@frozen
class _Kind:
    """Failures that are counted together. What was given as a name may be a password."""

    network: str
    user_id: UUID | None
    method: str
    reason: str


@define
class _Counted:
    until: float
    actor: Actor
    count: int = 0


class Failures:
    """Those of the last minute in memory; a kill loses how many followed the first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: dict[_Kind, _Counted] = {}

    async def note(self, actor: Actor, user_id: UUID | None, method: str, reason: str) -> None:
        """Note that somebody could not sign in as this user; None: there is none.

        The method and the reason are words of ours. Raises DatabaseAwayError.
        """
        kind = _Kind(network_of(actor.address), user_id, method, reason)
        if (counted := self._counted.get(kind)) is not None:
            counted.count, counted.actor = counted.count + 1, actor
            return
        first = self._counted[kind] = _Counted(monotonic() + COUNTED_SECONDS, actor)
        try:
            await self._add(kind, actor, 1)
        except DatabaseAwayError:
            first.count += 1  # noted later
            raise

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            await self.flush(monotonic())

    async def flush(self, now: float = float("inf")) -> None:
        """Note what was counted and is over by now."""
        over = [kind for kind, counted in self._counted.items() if counted.until <= now]
        for kind in over:
            counted = self._counted.pop(kind)
            if not counted.count:
                continue
            following = _Counted(monotonic() + COUNTED_SECONDS, counted.actor)
            self._counted[kind] = following
            try:
                await self._add(kind, counted.actor, counted.count)
            except DatabaseAwayError as error:
                following.count += counted.count
                logger.warning("failed sign-ins are noted later: %s", error)

    async def _add(self, kind: _Kind, actor: Actor, count: int) -> None:
        details = {"method": kind.method, "reason": kind.reason, "count": count}
        async with connect(self._database) as connection:
            await audit(
                connection,
                actor,
                Action.SIGN_IN_FAILED,
                object_id=kind.user_id,
                owner_id=kind.user_id,
                details=details,
            )
