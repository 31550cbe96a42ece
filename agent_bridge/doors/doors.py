"""All of a bridge's door as one value."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from uuid import UUID

from attrs import frozen
from databases import Database

from agent_bridge.doors.behind import Behind
from agent_bridge.doors.connected import Connected
from agent_bridge.doors.door import Door
from agent_bridge.doors.keeping import Keeping
from agent_bridge.doors.lanes import DoorLanes
from agent_bridge.doors.seals import Seals
from agent_bridge.doors.watch import Knocker, MasterWatch, PlaceWatch
from agent_bridge.intake.inbox import LogInbox
from agent_bridge.router.lanes import Lanes
from shared.notifications.bus import Notifications
from shared.process.background import background
from shared.secrets import Vault
from shared.settings.bridge import BridgeSettings

POLL_SECONDS = 0.05


@frozen
class Doors:
    """A door, who is there, and the lanes to a master agent that came through one."""

    door: Door
    connected: Connected
    lanes: DoorLanes
    _keeping: Keeping
    _places: PlaceWatch

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Be open until the block ends. Raises OSError where the port is taken."""
        async with (
            background(
                door_lease=self._keeping.keep(),
                master_place=self._places.watch_master(),
                agents_places=self._places.watch_agents(),
            ),
            self.door.open(),
        ):
            yield
        await self._keeping.end()

    def leave(self) -> None:
        """Let nobody in any more."""
        self.door.leave()

    async def drain(self, seconds: float) -> None:
        """Wait so long, at most, until nobody waits for an answer from here."""
        for _ in range(ceil(seconds / POLL_SECONDS)):
            if not any(each.is_busy for each in self.connected):
                return
            await asyncio.sleep(POLL_SECONDS)

    def describe(self) -> dict[str, object]:
        """What whoever asks after the bridge's health is told."""
        return {"connections": len(self.connected), "master_agent": self.lanes.watch.holder}


def create_doors(
    settings: BridgeSettings,
    database: Database,
    notifications: Notifications,
    vault: Vault,
    logs: LogInbox,
    bridge_id: UUID,
) -> Doors | None:
    """The door, if there is to be one."""
    if not settings.agents_port:
        return None
    seals, connected = Seals(settings, vault), Connected()
    knocker = Knocker(settings, seals)
    watch = MasterWatch(knocker)
    behind = Behind(settings, database, logs, seals)
    return Doors(
        Door(behind, connected, notifications, bridge_id),
        connected,
        DoorLanes(connected, seals, watch, Lanes(settings), settings.master_max_frame_bytes),
        Keeping(settings, database, notifications, connected, bridge_id),
        PlaceWatch(connected, knocker, watch),
    )
