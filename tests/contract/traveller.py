"""Whoever makes the recorded journey again, with the agents and the master agent that it needs."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx2
from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect

from tests.agent_bridge.actors import (
    RouterClient,
    connected_agent,
    until_active,
    until_inactive,
)
from tests.contract.areas import RECORDED_KEY
from tests.contract.binding import Binding, ends_of_aliases
from tests.contract.cases import Answer, Call, Case, load
from tests.contract.intended.agents import PARAMETERS
from tests.contract.intended.journey import JOURNEY, RECORDED_ML_KEY
from tests.contract.journey import BAD_TOKEN, TOKEN, Step, as_kept, is_turn, load_steps
from tests.contract.replay import Replay
from tests.contract.sending import send
from tests.contract.sockets import echoed
from tests.contract.strangers import CARD, make_tools
from tests.gateway.outsiders import answering, running, serving
from tests.master import AgentError, Invocation, run_master
from tests.system import ML_KEY, SERVICE_KEY, System
from tests.users import FRAME_SECONDS, User, eventually

MCP_SERVER, A2A_AGENT = "http://127.0.0.1:10120", "http://127.0.0.1:10130"
SESSION = "a8cd8a37-bbe5-45f6-8bd5-3ae209b19d52"
AGENTS = {
    "fe_alpha": "c030dedd-79fb-41b5-9783-d87e0537a1d3",
    "fe_beta": "eeb92bb8-7642-48b4-bafb-d0cacf2e3293",
    "fe_gamma": "6b4fb06d-f3b3-4db9-9aae-7130d2620e41",
}


@define
class Traveller:
    """The state of the journey: who is connected, the open socket, and what is asked on it."""

    system: System
    replay: Replay
    user: User
    connection: ClientConnection | None = None
    socket: AsyncExitStack = field(factory=AsyncExitStack)
    turn: Case | None = None
    left: asyncio.Event = field(factory=asyncio.Event)
    master: AsyncExitStack = field(factory=AsyncExitStack)
    agents: dict[str, RouterClient] = field(factory=dict)
    stacks: dict[str, AsyncExitStack] = field(factory=dict)

    async def go(self, step: Step) -> None:
        """Do what was done in a step."""
        for case in step.cases:
            number = case.name.split()[0]
            if number in EVENTS:
                await EVENTS[number](self)
            send_on = self._talk if is_turn(case) else self._call
            await self.replay.play(case, partial(send_on, case))
        if step.leaves:
            await self.socket.aclose()

    async def _call(self, case: Case, call: Call) -> Answer:
        return as_kept(case.answer, await send(self.replay.http, call))

    async def _talk(self, case: Case, call: Call) -> Answer:
        """Say something on the open socket or a new one, and hear as much as was heard then."""
        self.turn = case
        if call.query is not None:
            await self.socket.aclose()
            url = f"{self.user.socket_url}?{urlencode(call.query)}"
            self.connection = await self.socket.enter_async_context(connect(url))
        assert self.connection is not None
        await self.connection.send(json.dumps(call.body))
        frames: list[Any] = []
        async with asyncio.timeout(FRAME_SECONDS):
            while len(frames) < len(case.answer.body["frames"]):
                frames.append(json.loads(await self.connection.recv()))
        return Answer(101, {}, {"frames": frames, "closed": None})

    async def log_in(self) -> None:
        """Have the user's token, and a client that carries it."""
        token = self.replay.binding.literals[TOKEN]
        self.user.http.headers["Authorization"] = f"Bearer {token}"

    async def connect_agents(self) -> None:
        """Run the three agents."""
        for name in AGENTS:
            await self.connect_agent(name)

    async def connect_agent(self, name: str) -> None:
        """Run an agent, until it is told to stop."""
        token = self.replay.binding.literals[f"<token:{AGENTS[name]}>"]
        stack = self.stacks[name] = AsyncExitStack()
        agent = await stack.enter_async_context(connected_agent(self.system, token))
        self.agents[name] = agent
        description = f"Does what {name} does"
        function = {"name": name, "description": description, "parameters": PARAMETERS}
        await agent.register(name, description, {"type": "function", "function": function})
        await until_active(self.user, self._ours(AGENTS[name]))

    async def stop_agent(self, name: str) -> None:
        """Stop an agent."""
        await self.stacks.pop(name).aclose()
        await until_inactive(self.user, self._ours(AGENTS[name]))

    async def start_master(self) -> None:
        """Run the master agent."""
        await self.master.enter_async_context(run_master(self.system.router_url, self._answer))

    async def stop_master(self) -> None:
        """Stop the master agent."""
        await self.master.aclose()

    async def leave(self) -> None:
        """Leave the chat while the master agent works, and come back when it is done."""
        await self.socket.aclose()
        self.left.set()
        session_id = self._ours(SESSION)

        async def is_answered() -> bool:
            last = (await self.user.history(session_id))[-1]
            return bool(last["sender_type"] == "master_agent")

        await eventually(is_answered, "the chat that was left has its answer")

    async def close(self) -> None:
        """End everything that still runs."""
        for stack in (self.socket, self.master, *self.stacks.values()):
            await stack.aclose()

    def _ours(self, recorded: str) -> str:
        return self.replay.binding.known[recorded]

    async def _answer(self, invocation: Invocation) -> object:
        """Log and answer as the recorded master agent and its agent did."""
        assert self.turn is not None
        frames = self.turn.answer.body["frames"]
        logs = [frame["log"] for frame in frames if "log" in frame]
        if logs:
            self.replay.binding.known[logs[0]["session_id"]] = invocation.session_id
            self.replay.binding.known[logs[0]["request_id"]] = invocation.request_id
        answers = [frame["response"] for frame in frames if "response" in frame]
        for file in (file for each in answers for file in each["files"] if file["from_agent"]):
            await self._make_file(file, invocation)
        for count, log in enumerate(logs, 1):
            await self._log(log, invocation, count)
        if not answers:
            await self.left.wait()
            return echoed(invocation.payload["message"])
        if isinstance(answers[0]["response"], str):
            raise AgentError(answers[0]["response"])
        return self.replay.binding.fill(answers[0]["response"])

    async def _make_file(self, file: Mapping[str, Any], invocation: Invocation) -> None:
        token = self.replay.binding.literals[f"<token:{AGENTS['fe_alpha']}>"]
        sent = await self.replay.http.post(
            "/files",
            files={"file": (file["original_name"], b"made by the agent", file["mimetype"])},
            data={"session_id": invocation.session_id, "request_id": invocation.request_id},
            headers={"Authorization": f"Bearer {token}"},
        )
        self.replay.binding.known[file["id"]] = sent.json()["id"]

    async def _log(self, log: Mapping[str, Any], invocation: Invocation, count: int) -> None:
        """Log as whoever did, and wait until it is stored: who speak by turns keep their order."""
        message, level = self.replay.binding.fill(log["message"]), log["log_level"]
        if log["agent_id"] == AGENTS["fe_alpha"]:
            of = invocation.session_id, invocation.request_id
            await self.agents["fe_alpha"].log(message, *of, log_level=level)
        else:
            await invocation.log(message, level)
        query = {"request_id": invocation.request_id}

        async def is_stored() -> bool:
            return len((await self.user.http.get("/api/logs/list", params=query)).json()) == count

        await eventually(is_stored, "the log entry is stored")


EVENTS: dict[str, Callable[[Traveller], Awaitable[None]]] = {
    "5.1": Traveller.log_in,
    "19.1": Traveller.connect_agents,
    "21.0": partial(Traveller.stop_agent, name="fe_gamma"),
    "26.0": partial(Traveller.stop_agent, name="fe_beta"),
    "28.2": partial(Traveller.connect_agent, name="fe_beta"),
    "30.0": Traveller.start_master,
    "40.1": Traveller.leave,
    "45.0": Traveller.stop_master,
}


@asynccontextmanager
async def travelling(system: System) -> AsyncIterator[Replay]:
    """The whole journey, made."""
    async with AsyncExitStack() as stack:
        [tools] = await stack.enter_async_context(running(make_tools()))
        server = await stack.enter_async_context(serving(tools))
        card = await stack.enter_async_context(serving(answering(CARD)))
        literals = {
            MCP_SERVER: server.url,
            A2A_AGENT: card.url,
            RECORDED_KEY: SERVICE_KEY,
            RECORDED_ML_KEY: ML_KEY,
            BAD_TOKEN: "bad",
        }
        words = frozenset(ends_of_aliases(load("frontend-journey")))
        clients = [
            await stack.enter_async_context(
                httpx2.AsyncClient(base_url=system.gateway, timeout=30, verify=False)
            )
            for _ in range(2)
        ]
        binding = Binding(literals=literals, words=words)
        replay = Replay(clients[0], binding, JOURNEY)
        traveller = Traveller(system, replay, User(clients[1], "", "", ""))
        stack.push_async_callback(traveller.close)
        for step in load_steps():
            await traveller.go(step)
        yield replay
