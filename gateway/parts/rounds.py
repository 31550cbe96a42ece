"""Asking all processes how they are, and hearing who answers in time. At rest nothing is said."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID, uuid4

from attrs import frozen

from gateway.parts.schemas import SilentProcess
from gateway.requests.bridges import Bridges
from shared.notifications.bus import Notifications
from shared.notifications.channels import processes_channel, told_channel
from shared.notifications.formats import Look, decode_told, encode_look
from shared.notifications.telling import Telling
from shared.settings.gateway import GatewaySettings
from shared.telemetry.snapshots import Process

ANSWER_SECONDS = 0.6  # in which who is there has answered
NEWCOMER_SECONDS = 0.05  # for those who are not yet known, once all others have
REMEMBERED_SECONDS = 60.0  # after which one that says nothing is nobody's concern
PROCESSES_LIMIT = 256


@frozen
class Answers:
    """Who answered, this gateway among them, and who was expected to."""

    processes: list[Process]
    silent: list[SilentProcess]
    are_all: bool
    """Whether this process has heard itself through Redis: only then it hears others."""


class Rounds:
    """One gateway's; one round at a time."""

    def __init__(
        self,
        settings: GatewaySettings,
        notifications: Notifications,
        telling: Telling,
        bridges: Bridges,
    ) -> None:
        self._channel = processes_channel(settings)
        self._notifications = notifications
        self._telling = telling
        self._bridges = bridges
        self._look_id: UUID | None = None
        self._answers: dict[UUID, Process] = {}
        self._answered = asyncio.Event()
        self._known: dict[UUID, tuple[float, Process]] = {}  # when each spoke last, and what
        self._punctual: set[UUID] = set()  # who answered the last round, be it late

    @property
    def gateway_id(self) -> UUID:
        """Whose rounds they are."""
        return self._telling.id

    async def listen(self) -> None:
        """Hear answers for ever."""
        async with self._notifications.subscribe(told_channel(self._telling.id)) as listener:
            while True:
                if told := decode_told(await listener.get()):
                    self._note(told.look_id, told.process)

    def _note(self, look_id: UUID, process: Process) -> None:
        if process.id not in self._known and len(self._known) >= PROCESSES_LIMIT:
            return
        self._known[process.id] = monotonic(), process
        self._punctual.add(process.id)
        if look_id == self._look_id:
            self._answers[process.id] = process
            self._answered.set()

    async def ask(self) -> Answers:
        """Ask all, and wait until all who are known have answered, but not long."""
        look = Look(uuid4(), self._telling.id)
        self._look_id, self._answers = look.id, {}
        expected = {self._telling.id, *self._punctual, *self._bridges.present}
        self._punctual = set()
        self._notifications.publish(self._channel, encode_look(look))
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._hear(expected)
                await asyncio.sleep(NEWCOMER_SECONDS)
        self._forget()
        if self._telling.id not in self._answers:
            return Answers([await self._telling.read()], [], are_all=False)
        answers = sorted(self._answers.values(), key=_place)
        return Answers(answers, self._silent(), are_all=True)

    async def _hear(self, expected: set[UUID]) -> None:
        while not self._answers.keys() >= expected:
            self._answered.clear()
            await self._answered.wait()

    def _forget(self) -> None:
        since = monotonic() - REMEMBERED_SECONDS
        self._known = {id_: known for id_, known in self._known.items() if known[0] > since}

    def _silent(self) -> list[SilentProcess]:
        """Who did not answer, but for those who said before that they go."""
        of_old = [
            _silent(process)
            for _, process in self._known.values()
            if process.id not in self._answers and not process.is_draining
        ]
        heard = self._bridges.present - self._answers.keys() - self._known.keys()
        now = datetime.now(UTC)
        return [*of_old, *(SilentProcess(id_, None, None, None, None, now) for id_ in heard)]


def _place(process: Process) -> tuple[str, str, str, int]:
    return process.service, process.host, process.address, process.pid


def _silent(process: Process) -> SilentProcess:
    return SilentProcess(
        process.id,
        process.service,
        process.version,
        process.host,
        process.address,
        process.told_at,
    )
