"""Telling the gateways how this process is, whenever one of them asks. Nothing is told unasked."""

import asyncio
from time import monotonic
from uuid import UUID

from shared.notifications.bus import Notifications
from shared.notifications.channels import processes_channel, told_channel
from shared.notifications.formats import Told, decode_look, encode_told
from shared.settings.common import CommonSettings
from shared.telemetry.snapshots import Process, Self

FRESH_SECONDS = 0.5  # for which what was read is told to all who ask


class Telling:
    """One process, for whoever asks how it is."""

    def __init__(self, settings: CommonSettings, notifications: Notifications, this: Self) -> None:
        self._channel = processes_channel(settings)
        self._notifications = notifications
        self._this = this
        self._latest: Process | None = None
        self._read_at = 0.0

    @property
    def id(self) -> UUID:
        """That of the process."""
        return self._this.id

    async def run(self) -> None:
        """Answer for ever."""
        async with self._notifications.subscribe(self._channel) as listener:
            while True:
                if look := decode_look(await listener.get()):
                    told = encode_told(Told(look.id, await self.read()))
                    self._notifications.publish(told_channel(look.gateway_id), told)

    async def read(self) -> Process:
        """How this process is: read in a thread, as Prometheus does, and not for each who asks."""
        if self._latest is None or monotonic() - self._read_at >= FRESH_SECONDS:
            self._read_at = monotonic()
            self._latest = await asyncio.to_thread(self._this.tell)
        return self._latest
