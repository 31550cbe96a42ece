"""All of a bridge's door as one value."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from agent_bridge.metrics import LOG_ENTRIES_DROPPED
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged
from agent_bridge.router.lanes import Lanes
from agent_bridge.router.session import LogEvent
from shared.notifications.bus import Notifications
from shared.process.background import background
from shared.secrets import Vault
from shared.settings.bridge import BridgeSettings


@frozen
class Doors:
    """A door, who is there, and the lanes to a master agent that came through one."""

    door: Door
    connected: Connected
    lanes: DoorLanes
    _logs: LogInbox
    _keeping: Keeping
    _places: PlaceWatch

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Be open until the block ends. Raises OSError where the port is taken."""
        async with (
            background(door_lease=self._keeping.keep(), door_places=self._places.watch()),
            self.door.open(),
        ):
            yield
        await self._keeping.end()

    def leave(self) -> None:
        """Let nobody in any more."""
        self.door.leave()

    def put_from_router(self, event: LogEvent) -> None:
        """Take what the router says that was logged.

        Not what it says of the master agent, which logs at its door: whoever has taken its place at
        the router could log into any chat.
        """
        if isinstance(event, AgentLogged) and event.agent_uuid == MASTER_SERVER_ML:
            LOG_ENTRIES_DROPPED.inc()
        else:
            self._logs.put(event)

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
        DoorLanes(connected, seals, watch, Lanes(settings)),
        logs,
        Keeping(settings, database, notifications, connected, bridge_id),
        PlaceWatch(connected, knocker, watch),
    )
