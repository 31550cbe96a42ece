"""A good front-end: it connects again anywhere, resumes, and repeats what was not settled."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from random import Random
from urllib.parse import urlencode
from uuid import uuid4

from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.master import answer
from tests.users import Json, User

OPEN_SECONDS = 4.0
PING_SECONDS = 1.0, 4.0  # pause and patience: a gateway may be frozen
RETRY_SECONDS = 0.05, 0.4


@define
class Sent:
    """A message, how often it was sent, and its answer's frame."""

    text: str
    message_id: str = field(factory=lambda: str(uuid4()))
    times: int = 0
    answered: Json | None = None


@define
class FrontEnd:
    """One session of a user; `last` is the seq up to which all frames have come."""

    user: User
    session_id: str
    addresses: Callable[[], list[str]]
    random: Random
    is_done: Callable[[], bool]
    speaks: bool = True
    last: int = 0
    sent: list[Sent] = field(factory=list)
    refused: int = 0
    lost: int = 0
    wrongs: list[str] = field(factory=list)
    _came: Counter[int] = field(factory=Counter)  # by seq, on this connection

    @property
    def word(self) -> str:
        """What all its messages begin with, and nobody else's."""
        return f"word-{self.session_id}"

    async def run(self) -> None:
        """Chat until it is done, whatever happens to the connection."""
        while not self._has_finished():
            try:
                await self._connect()
            except (OSError, TimeoutError, WebSocketException):
                self.lost += 1
                await self._pause()

    def _has_finished(self) -> bool:
        return self.is_done() and all(each.answered for each in self.sent)

    async def _pause(self) -> None:
        await asyncio.sleep(self.random.uniform(*RETRY_SECONDS))

    async def _connect(self) -> None:
        if not (addresses := self.addresses()):
            raise ConnectionRefusedError("no gateway is there")
        address = self.random.choice(addresses).replace("http", "ws", 1)
        query = {"token": self.user.token, "session_id": self.session_id, "after": self.last}
        async with connect(
            f"{address}/frontend/ws?{urlencode(query)}",
            compression=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS[0],
            ping_timeout=PING_SECONDS[1],
            close_timeout=1,
        ) as connection:
            self._came.clear()
            await (self._talk(connection) if self.speaks else self._listen(connection))

    async def _listen(self, connection: ClientConnection) -> None:
        while not self._has_finished():
            try:
                async with asyncio.timeout(0.2):
                    text = await connection.recv()
            except TimeoutError:
                continue
            self._hear(json.loads(text))

    async def _talk(self, connection: ClientConnection) -> None:
        while not self._has_finished():
            if not self.sent or self.sent[-1].answered:
                self.sent.append(Sent(f"{self.word} {len(self.sent)}"))
            latest = self.sent[-1]
            latest.times += 1
            frame = {"message": latest.text, "message_id": latest.message_id}
            await connection.send(json.dumps(frame))
            while not latest.answered:
                heard = json.loads(await connection.recv())
                self._hear(heard)
                if heard.get("seq", 0) is None:
                    self.refused += 1
                    await self._pause()
                    break

    def _hear(self, frame: Json) -> None:
        if frame["type"] == "gap":  # nothing was removed here
            self.wrongs.append(f"frames are missing: {frame}")
            self.last = frame["before"] - 1
            return
        seq, is_answer = frame["seq"], frame["type"] == "agent_response"
        said = frame["response"] if is_answer else frame["log"]
        if said["session_id"] != self.session_id:
            self.wrongs.append(f"a frame of another session: {frame}")
        if seq is None:
            return
        self._came[seq] += 1
        if seq == self.last + 1:
            self.last = seq
            if is_answer and self.speaks:
                self._settle(frame)
        elif seq > self.last:
            self.wrongs.append(f"{seq} after {self.last}")
        elif not (is_answer and self._came[seq] <= self._times_asked(seq)):
            self.wrongs.append(f"{seq} again, {self.last} was there: {frame}")

    def _settle(self, frame: Json) -> None:
        waiting = self.sent[-1] if self.sent else None
        if waiting is None or waiting.answered:
            self.wrongs.append(f"an answer to nothing: {frame}")
            return
        waiting.answered = frame
        told = frame["response"]["response"]
        if frame["response"]["is_success"] and told != answer(f"echo: {waiting.text}"):
            self.wrongs.append(f"{waiting.text} was answered by {told}")

    def _times_asked(self, seq: int) -> int:
        """How often this answer may come: whoever sends a message again is answered again."""
        answered = [
            each.times for each in self.sent if each.answered and each.answered["seq"] == seq
        ]
        return sum(answered)
