"""Whom a gateway tells that a request waits: one of the bridges, for a user always the same one."""

from time import monotonic
from uuid import UUID

from shared.notifications.bus import Notifications
from shared.notifications.channels import WAITING_REQUESTS, bridges_channel, requests_channel
from shared.notifications.formats import Heartbeat, decode_heartbeat, encode_waiting
from shared.settings.gateway import GatewaySettings

FORGET_SECONDS = 2.5  # after which a bridge that says nothing more is not told anything


class Bridges:
    """The bridges that say that they take requests.

    That one of them is told spares the others to hear it and to look. It is no promise: whoever is
    full passes it on to all, and what nobody hears is found by the next look of any.
    """

    def __init__(self, settings: GatewaySettings, notifications: Notifications) -> None:
        self._channel = bridges_channel(settings)
        self._notifications = notifications
        self._heard: dict[UUID, float] = {}  # when each spoke last

    @property
    def present(self) -> set[UUID]:
        """Those that have just said that they take requests."""
        return set(self._present())

    async def listen(self) -> None:
        """Hear of bridges for ever."""
        async with self._notifications.subscribe(self._channel) as listener:
            while True:
                if heartbeat := decode_heartbeat(await listener.get()):
                    self._note(heartbeat)

    @property
    def are_there(self) -> bool:
        """Whether any was heard of late."""
        return bool(self._present())

    def notify(self, owner: UUID, request_id: UUID) -> None:
        """Tell the bridge of this user, or all where none is known."""
        bridges = sorted(self._present())
        told = requests_channel(bridges[owner.int % len(bridges)]) if bridges else WAITING_REQUESTS
        self._notifications.publish(told, encode_waiting(request_id))

    def _note(self, heartbeat: Heartbeat) -> None:
        self._heard = self._present()
        if heartbeat.is_leaving:
            self._heard.pop(heartbeat.bridge_id, None)
        else:
            self._heard[heartbeat.bridge_id] = monotonic()

    def _present(self) -> dict[UUID, float]:
        since = monotonic() - FORGET_SECONDS
        return {bridge: at for bridge, at in self._heard.items() if at > since}
