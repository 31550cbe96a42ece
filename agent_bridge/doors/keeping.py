"""A door is there as long as it is renewed, and who came through it as long as his place is his.

Each second the places at this door are looked at: an agent may be deleted, its token replaced or
expired, its user locked out, or it may have come through another door. Notifications only make
that sooner.
"""

import logging
from contextlib import suppress
from time import monotonic
from uuid import UUID

import asyncpg
from databases import Database

from agent_bridge.doors import queries
from agent_bridge.doors.connected import REPLACED, Connected
from agent_bridge.doors.connection import Connection
from agent_bridge.doors.queries import Held, Standing
from shared.notifications.bus import Notifications
from shared.notifications.channels import REVOKED_TOKENS, TAKEN_PLACES
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.bridge import BridgeSettings
from shared.tokens import read_token

logger = logging.getLogger(__name__)

RENEW_SECONDS = 1.0
STEADY_SECONDS = 3.0  # of renewing, after which others had the time to renew theirs
TOKEN_ENDED = "The agent was deleted or has another token, or its user is locked out"  # noqa: S105
TOKEN_EXPIRED = "The agent's token has expired"  # noqa: S105


class Keeping:
    """Keeps this bridge's door, and removes those of bridges that are gone."""

    def __init__(
        self,
        settings: BridgeSettings,
        database: Database,
        notifications: Notifications,
        connected: Connected,
        bridge_id: UUID,
    ) -> None:
        self._secret_key = settings.secret_key
        self._database = database
        self._notifications = notifications
        self._connected = connected
        self._bridge_id = bridge_id
        self._steady_since: float | None = None

    async def keep(self) -> None:
        """Renew and look for ever."""
        async with self._notifications.subscribe(REVOKED_TOKENS, TAKEN_PLACES) as listener:
            while True:
                try:
                    await self.renew()
                    await self.look()
                except DatabaseAwayError as error:
                    logger.warning("the door is not renewed: %s", error)
                    self._steady_since = None
                await listener.get_all(RENEW_SECONDS)

    async def renew(self) -> None:
        """Renew the door, and remove those that are gone. Raises DatabaseAwayError."""
        now = monotonic()
        self._steady_since = self._steady_since or now
        async with connect(self._database) as connection:
            await queries.renew_door(connection, self._bridge_id)
            if now - self._steady_since < STEADY_SECONDS:
                return
            here = [each.id for each in self._connected]
            if gone := await queries.remove_what_is_gone(connection, self._bridge_id, here):
                logger.warning("%d agents are gone with the bridge that they came to", gone)

    async def look(self) -> None:
        """End whose place is another's, or whose token is. Raises DatabaseAwayError."""
        here = {each.identity: each for each in self._connected if each.has_place}
        if not here:
            return
        held = [_held(each) for each in here.values()]
        async with connect(self._database) as connection:
            standings = await queries.select_standings(connection, held)
            free = {each.identity for each in standings if each.is_free and each.stands}
            if lost := [each for each in held if each.identity in free]:
                logger.warning("this door was taken for gone: %d are here again", len(lost))
                with suppress(asyncpg.ForeignKeyViolationError):  # deleted now: seen next time
                    await queries.take_free_places(connection, lost, self._bridge_id)
        for standing in standings:
            connected = here[standing.identity]
            if reason := self._reason_to_end(standing, connected):
                self._connected.end(connected, reason)  # which may take longer than the lease

    async def end(self) -> None:
        """Be no door any more; while PostgreSQL is away the lease runs out."""
        try:
            async with connect(self._database) as connection:
                await queries.close_door(connection, self._bridge_id)
        except DatabaseAwayError as error:
            logger.warning("that the door is closed is not noted: %s", error)

    def _reason_to_end(self, standing: Standing, connected: Connection) -> str | None:
        if not standing.stands:
            return TOKEN_ENDED
        token = connected.visitor.token
        if token is not None and read_token(self._secret_key, token) is None:
            return TOKEN_EXPIRED
        return None if standing.is_here or standing.is_free else REPLACED


def _held(connected: Connection) -> Held:
    visitor = connected.visitor
    return Held(
        connected.identity,
        connected.id,
        visitor.agent_id,
        visitor.token,
        is_active=connected.has_described,
    )
