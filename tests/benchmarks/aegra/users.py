"""Users of aegra who do what ours do: follow an answer in parts, or wait for one."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

from attrs import define, frozen

from tests.benchmarks.aegra.running import Thread
from tests.benchmarks.following import Follower
from tests.benchmarks.people import WrongAnswerError

PATIENCE = 180.0  # seconds: its users wait for each other
PARTS, STEPS = "custom", "updates"
"""What aegra calls what a graph says on its own, and what each of its nodes gives."""


@define
class OnThread(Follower):
    """A user who reads an answer as it comes."""

    patience = PATIENCE
    thread: Thread

    async def _texts(self, question: str) -> AsyncGenerator[str]:
        async for text in self.thread.run("parts", PARTS, question):
            yield text


@frozen
class Asker:
    """A user who waits for an answer."""

    thread: Thread

    async def ask(self) -> None:
        """Ask what nobody else asks. Raises WrongAnswerError."""
        question = f"0 {uuid4()}"
        try:
            async with asyncio.timeout(PATIENCE):
                came = [each async for each in self.thread.run("echo", STEPS, question)]
        except TimeoutError:
            raise WrongAnswerError(f"aegra: no answer in {PATIENCE} s to {question}") from None
        if came != [{"answer": {"question": question, "answer": question}}]:
            raise WrongAnswerError(f"aegra: {came} for {question}")
