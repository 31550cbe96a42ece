"""Clients that follow answers as they are made, each in a protocol of its own, and check them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import perf_counter
from typing import ClassVar
from uuid import uuid4

import orjson
from attrs import define, field

from tests.benchmarks.parts import count_parts, parts_of, question_of
from tests.benchmarks.people import ANSWER_SECONDS, WrongAnswerError
from tests.benchmarks.wire import Events, Socket, http_request

PROTOCOL = "2"
JSON = "application/json"
DONE = b"[DONE]"


@define
class Follower(ABC):
    """A user who asks, and reads the answer as it comes."""

    patience: ClassVar[float] = ANSWER_SECONDS
    asked: int = field(default=0, init=False)
    parts: int = field(default=0, init=False)
    """Those that came, of all answers, in their order."""
    frames: int = field(default=0, init=False)
    """Those that brought some."""
    early: int = field(default=0, init=False)
    """How many answers came before all of their parts; that is no fault: they stand alone."""
    firsts: list[float] = field(factory=list, init=False)
    """Seconds until the first of them, each time."""

    async def ask(self, parts: int) -> None:
        """Ask what nobody else asks, and read the parts. Raises WrongAnswerError."""
        self.asked += 1
        question = question_of(parts, uuid4().hex[:8])
        began, text = perf_counter(), ""
        try:
            async with (
                asyncio.timeout(self.patience),
                aclosing(self._texts(question)) as texts,
            ):
                async for each in texts:
                    if not text:
                        self.firsts.append(perf_counter() - began)
                    self.frames += 1
                    text += each
        except TimeoutError:
            how = f"{type(self).__name__}: no answer in {self.patience} s"
            raise WrongAnswerError(f"{how} to {question}") from None
        came = count_parts(text)
        if text != "".join(parts_of(question)[:came]):
            raise WrongAnswerError(f"{text!r} for {question}")
        self.parts += came
        self.early += came < parts

    @abstractmethod
    def _texts(self, question: str) -> AsyncGenerator[str]:
        """What each frame says of the answer, to its end."""


@define
class OverSocket(Follower):
    """Over the front-end's socket, in its second protocol."""

    socket: Socket

    async def _texts(self, question: str) -> AsyncGenerator[str]:
        self.socket.send(orjson.dumps({"message": question}))
        accepted = orjson.loads(await self.socket.receive())
        while True:
            frame = orjson.loads(await self.socket.receive())
            answer = frame.get("response")
            about = answer or frame
            if about["request_id"] != accepted["request_id"]:
                raise WrongAnswerError(f"{frame} for {question}")
            if answer:
                return
            yield frame["text"]


@define
class OverCompletions(Follower):
    """Over `/v1/chat/completions`, as OpenAI's clients do."""

    events: Events
    token: str
    model: str

    async def _texts(self, question: str) -> AsyncGenerator[str]:
        message = {"role": "user", "content": question}
        body = orjson.dumps({"model": self.model, "messages": [message], "stream": True})
        head = http_request("POST", "/v1/chat/completions", len(body), self.token, JSON)
        async with aclosing(self.events.ask(head + body)) as events:
            async for _, data in events:
                if data == DONE:
                    continue
                for choice in orjson.loads(data)["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text
