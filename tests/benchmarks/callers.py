"""Callers of agents, each in a protocol of its own: what they ask is echoed, or it is wrong.

A further way to ask is one more class: how it connects, and what it says for one question.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, ClassVar, Self
from uuid import uuid4

import orjson
from attrs import define, field, frozen

from tests.benchmarks.people import ANSWER_SECONDS, Person, WrongAnswerError
from tests.benchmarks.wire import Answers, Events, http_request

JSON = "application/json"
OK = 200
MCP_VERSION, A2A_VERSION = "2025-06-18", "1.0"


@frozen
class Callee:
    """An agent that echoes, and whose it is."""

    owner: Person
    id: str
    alias: str


@define
class Caller(ABC):
    """A user who asks an agent of theirs, again and again, and gets each time what was asked."""

    name: ClassVar[str]
    callee: Callee
    asked: int = field(default=0, init=False)

    async def ask(self) -> None:
        """Ask what nobody else asks. Raises WrongAnswerError."""
        self.asked += 1
        question = f"0 {uuid4()}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._answer(question)
        except TimeoutError:
            raise WrongAnswerError(f"{self.name}: no answer to {question}") from None
        if answer != question:
            raise WrongAnswerError(f"{self.name}: {answer!r} for {question}")

    @classmethod
    @abstractmethod
    def calling(
        cls, url: str, callees: Sequence[Callee]
    ) -> AbstractAsyncContextManager[list[Self]]:
        """One for each callee, at a server."""

    @abstractmethod
    async def _answer(self, question: str) -> object:
        """The text of the answer."""


@define
class OverHttp(Caller):
    """Over a connection that is kept, with an answer in one piece."""

    http: Answers

    @classmethod
    @asynccontextmanager
    async def calling(cls, url: str, callees: Sequence[Callee]) -> AsyncIterator[list[Self]]:
        """One for each callee, at a server."""
        callers = [cls(callee, Answers(url)) for callee in callees]
        for each in callers:
            await each.prepare()
        yield callers
        for each in callers:
            each.http.close()

    async def prepare(self) -> None:
        """Do what has to be done once."""

    async def _post(self, path: str, body: object, **headers: str) -> Any:
        data = orjson.dumps(body)
        head = http_request("POST", path, len(data), self.callee.owner.token, JSON, headers)
        answer = await self.http.ask(head + data)
        if answer.status != OK:
            raise WrongAnswerError(f"{self.name}: {answer.status} {answer.body[:500]!r}")
        return orjson.loads(answer.body)


@define
class OverRest(OverHttp):
    """By `POST /api/agents/{agent_id}/invoke`."""

    name: ClassVar[str] = "REST"

    async def _answer(self, question: str) -> object:
        told = await self._post(f"/api/agents/{self.callee.id}/invoke", {"message": question})
        return told["response"]["response"]


@define
class OverA2a(OverHttp):
    """By `SendMessage` of A2A over JSON-RPC, to what its owner has published under its alias."""

    name: ClassVar[str] = "A2A"

    async def prepare(self) -> None:
        """Publish the agent."""
        await self._post("/api/publications", {"kind": "agent", "id": self.callee.id})

    async def _answer(self, question: str) -> object:
        parts = [{"text": question}]
        message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": parts}
        body = _rpc("SendMessage", {"message": message})
        told = await self._post(f"/a2a/{self.callee.alias}", body, A2A_Version=A2A_VERSION)
        [artifact] = told["result"]["task"]["artifacts"]
        return artifact["parts"][0]["text"]


@define
class OverMcp(Caller):
    """By `tools/call` of MCP, whose answers are streams."""

    name: ClassVar[str] = "MCP"
    events: Events

    @classmethod
    @asynccontextmanager
    async def calling(cls, url: str, callees: Sequence[Callee]) -> AsyncIterator[list[Self]]:
        """One for each callee, at a server."""
        callers = [cls(callee, Events(url)) for callee in callees]
        yield callers
        for each in callers:
            each.events.close()

    async def _answer(self, question: str) -> object:
        called = {"name": self.callee.alias, "arguments": {"message": question}}
        data = orjson.dumps(_rpc("tools/call", called))
        headers = {"Accept": f"{JSON}, text/event-stream", "MCP-Protocol-Version": MCP_VERSION}
        head = http_request("POST", "/mcp", len(data), self.callee.owner.token, JSON, headers)
        async with aclosing(self.events.ask(head + data)) as events:
            async for _, text in events:
                told = orjson.loads(text or b"{}")
                if "result" in told:
                    answer = told["result"]["content"][0]["text"]
        return answer


@define
class OverBareMcp(OverMcp):
    """The same, at a server that is nothing else."""

    name: ClassVar[str] = "bare FastMCP"


def _rpc(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
