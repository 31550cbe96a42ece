"""Answers that are made part by part, and what comes of them at clients."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field

from tests.master import Invocation, answer
from tests.users import Json, eventually

type Receive = Callable[[], Awaitable[Json]]


@define
class Dictation:
    """A master agent's behaviour: it says what a test dictates, and answers with all of that."""

    lines: asyncio.Queue[str | None] = field(factory=asyncio.Queue)
    invocations: asyncio.Queue[Invocation] = field(factory=asyncio.Queue)

    def say(self, *parts: str) -> None:
        """Have parts of the answer told."""
        for part in parts:
            self.lines.put_nowait(part)

    def end(self) -> None:
        """Have it answered."""
        self.lines.put_nowait(None)

    async def until_taken(self) -> None:
        """Wait until nothing is left to be said."""

        async def holds() -> bool:
            return self.lines.empty()

        await eventually(holds, "all is said")

    async def behave(self, invocation: Invocation) -> Any:
        """Do what is dictated."""
        self.invocations.put_nowait(invocation)
        said = ""
        while (part := await self.lines.get()) is not None:
            said += part
            await invocation.log(part, "delta")
        return answer(said)


async def receive_all(receive: Receive) -> list[Json]:
    """All frames up to the answer."""
    frames = [await receive()]
    while frames[-1]["type"] != "agent_response":
        frames.append(await receive())
    return frames


async def receive_text(receive: Receive, text: str, begun: str = "") -> list[Json]:
    """The parts with which the answer has come so far; nothing else may come before."""
    parts: list[Json] = []
    while begun + text_of(parts) != text:
        frame = await receive()
        assert frame["type"] == "delta", frame
        parts.append(frame)
        assert text.startswith(begun + text_of(parts))
    return parts


def text_of(frames: list[Json], agent_id: str | None = None) -> str:
    """A text as it was told: the answer's, or an agent's. No part of it may be missing."""
    parts = [
        frame for frame in frames if frame["type"] == "delta" and frame.get("agent_id") == agent_id
    ]
    first = parts[0]["index"] if parts else 0
    assert [part["index"] for part in parts] == [*range(first, first + len(parts))]
    return "".join(part["text"] for part in parts)
