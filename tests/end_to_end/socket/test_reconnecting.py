"""Whoever connects again at any moment, and repeats what has no answer, gets each answer once."""

import asyncio
from collections import Counter, defaultdict
from contextlib import suppress
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from attrs import define, field

from tests.master import Invocation, Master, answer
from tests.parts import text_of
from tests.users import Chat, Json, User

WANDERERS = 8
TIMES = 125  # that each of them connects again
MOST_OPEN = 3  # messages


async def work(invocation: Invocation) -> Any:
    """Say the answer part by part, and log something in between."""
    text = f"to {invocation.payload['message']}"
    for number, character in enumerate(text):
        await invocation.log(character, "delta")
        if number % 4 == 0:
            await asyncio.sleep(0)
    await invocation.log("said all")
    return answer(text)


@define
class Wanderer:
    """One session of a user, over many sockets."""

    user: User
    protocol: int | None
    random: Random
    session_id: str = field(factory=lambda: str(uuid4()))
    last: int = 0
    sent: list[str] = field(factory=list)
    """The ids of all messages, which are their texts too."""
    answers: Counter[str] = field(factory=Counter)

    async def wander(self) -> None:
        """Connect so many times, and once more for what is left."""
        for _ in range(TIMES):
            await self._visit(is_last=False)
        await self._visit(is_last=True)

    def _open(self) -> list[str]:
        return [each for each in self.sent if each not in self.answers]

    async def _visit(self, *, is_last: bool) -> None:
        after = self.last if self.random.random() < 0.8 else None
        async with self.user.chat(self.session_id, after, self.protocol) as chat:
            repeated = self._open()
            if not is_last and len(repeated) < MOST_OPEN:
                self.sent.append(str(uuid4()))
            for message_id in self._open():
                await chat.send(message_id, message_id=message_id)
            seconds = 30.0 if is_last else self.random.choice([0.0, 0.003, 0.03])
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._receive(chat, is_resumed=after is not None)
            assert not is_last or not self._open()
            if self.random.random() < 0.5:
                chat.connection.transport.abort()

    async def _receive(self, chat: Chat, *, is_resumed: bool) -> None:
        """Take frames until all is answered, or as many as one likes."""
        seqs: set[int] = set()
        parts: dict[str, list[Json]] = defaultdict(list)
        while self._open():
            frame = await chat.receive()
            if frame["type"] == "accepted":
                assert frame["message_id"] in self.sent
                continue
            if frame["type"] == "delta":
                parts[frame["message_id"]].append(frame)
                text = text_of(parts[frame["message_id"]])
                assert f"to {frame['message_id']}".startswith(text)
                continue
            assert frame["seq"] not in seqs
            seqs.add(frame["seq"])
            if is_resumed and frame["seq"] > self.last:
                assert frame["seq"] == self.last + 1
            self.last = max(self.last, frame["seq"])
            if frame["type"] == "agent_response":
                self._count(frame)

    def _count(self, frame: Json) -> None:
        text = str(frame["response"]["response"]["response"])
        message_id = text.removeprefix("to ")
        assert self.protocol is None or frame["message_id"] == message_id
        self.answers[message_id] += 1


@pytest.mark.parametrize("protocol", [None, 2])
async def test_each_answer_comes_once(user: User, master: Master, protocol: int | None) -> None:
    master.behave = work
    wanderers = [
        Wanderer(user, protocol, Random(seed))  # noqa: S311
        for seed in range(WANDERERS)
    ]
    async with asyncio.TaskGroup() as group:
        for each in wanderers:
            group.create_task(each.wander())
    for each in wanderers:
        assert each.answers == Counter(each.sent)
        assert len(await user.history(each.session_id)) == min(2 * len(each.sent), 100)
    asked = Counter(invocation.payload["message"] for invocation in master.invocations)
    assert asked == Counter(each for one in wanderers for each in one.sent)
