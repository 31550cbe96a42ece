"""A user who chats without pause and goes on elsewhere whenever a socket is closed."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from attrs import define, field
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.end_to_end.socket.front_end import chat_at
from tests.users import Chat, Json, User

RETRY_SECONDS = 0.05
SILENCE_SECONDS = 15.0


@define
class Talker:
    """What a client keeps to lose nothing: its last seq, and what was not answered yet."""

    user: User
    gateways: Sequence[str]
    session_id: str = field(factory=lambda: str(uuid4()))
    sent: list[str] = field(factory=list)
    answers: dict[str, list[Json]] = field(factory=dict)
    """By message; the same frame only once."""
    seqs: list[int] = field(factory=list)
    closes: list[int | None] = field(factory=list)
    _ids: dict[str, str] = field(factory=dict)  # of messages that were not answered
    _resent: set[str] = field(factory=set)

    async def talk(self, enough: asyncio.Event) -> None:
        """Send one message after the other until it is enough, and wait for the last answer."""
        while not enough.is_set() or self._ids:
            gateway = random.choice(list(self.gateways))  # noqa: S311
            url = gateway.replace("http", "ws", 1) + "/frontend/ws"
            after = {"after": self.seqs[-1]} if self.seqs else {"after": 0}
            with suppress(OSError, ConnectionClosed, InvalidHandshake):
                async with chat_at(url, self.user, self.session_id, **after) as chat:
                    await self._talk_here(chat, enough)
            await asyncio.sleep(RETRY_SECONDS)

    async def _talk_here(self, chat: Chat, enough: asyncio.Event) -> None:
        try:
            self._resent = set(self._ids)
            for message, message_id in self._ids.items():
                await chat.send(message, message_id=message_id)
            while not enough.is_set() or self._ids:
                if not self._ids:
                    await self._say_more(chat)
                async with asyncio.timeout(SILENCE_SECONDS):
                    self._hear(await chat.receive())
        except ConnectionClosed:
            self.closes.append(chat.connection.close_code)
            raise

    async def _say_more(self, chat: Chat) -> None:
        message = f"{self.session_id} {len(self.sent)}"
        self.sent.append(message)
        self._ids[message] = str(uuid4())
        await chat.send(message, message_id=self._ids[message])

    def _hear(self, frame: Json) -> None:
        if frame["type"] != "agent_response":
            self.seqs.append(frame["seq"])
            return
        message = frame["response"]["response"]["response"].removeprefix("echo: ")
        if message in self._resent and frame in self.answers.get(message, []):
            return  # what was sent again is answered again, by the same frame
        self.seqs.append(frame["seq"])
        self.answers.setdefault(message, []).append(frame)
        self._ids.pop(message, None)
