"""Many users who chat at the same time, and all that they see and leave behind."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import attrs
import httpx2
from attrs import field, frozen

from tests.agents.running import CALLING_LOGS, SEALING_LOGS, run_agent
from tests.master import AgentError, Invocation, answer
from tests.system import System
from tests.users import Chat, Json, User, eventually, register_user

MESSAGES = 3  # of a user: all but the last at once, the last when everybody else is there too
SCRIPTED_LOGS = 5

type Ids = tuple[str, str]
"""Session and request."""


@frozen
class Guest:
    """A user of the crowd. The word stands in each of its questions and in nobody else's."""

    user: User
    word: str
    session_id: str
    seal: str | None = None  # the other secret, where it has an agent of its own
    agent: Json | None = None

    def question(self, number: int) -> str:
        """What it asks."""
        return f"Please seal {number} copies of {self.word}"

    def answer(self, number: int) -> str:
        """What only the right agent can answer to that."""
        return f"{number} x {self.word}, sealed with {self.seal or _provider_key(self.word)}"

    @property
    def marks(self) -> list[str]:
        """The texts by which a frame shows whose it is."""
        alias = [str(self.agent["agent_alias"])] if self.agent else []
        return [self.word, *alias]


@frozen
class Visit:
    """What a guest saw and what was stored of it, rows and entries in their order."""

    guest: Guest
    sockets: list[list[Json]]
    history: list[Json] = field(factory=list)
    logs: list[Json] = field(factory=list)
    log_rows: list[Json] = field(factory=list)
    chat_rows: list[Json] = field(factory=list)
    request_rows: list[Json] = field(factory=list)

    @property
    def frames(self) -> list[Json]:
        """What came on the first socket."""
        return self.sockets[0]

    @property
    def live_logs(self) -> list[Json]:
        """The entries among that."""
        return [frame["log"] for frame in self.frames if frame["type"] == "agent_log"]

    @property
    def responses(self) -> list[Json]:
        """The answers among that."""
        return [frame["response"] for frame in self.frames if frame["type"] == "agent_response"]


@frozen
class Crowd:
    """The visits, and how often the master agent began each request."""

    visits: list[Visit]
    begun: Counter[Ids]
    logs_each: int

    @property
    def frames_each(self) -> int:
        """How many frames a socket has to get."""
        return MESSAGES * (self.logs_each + 1)


def _provider_key(word: str) -> str:
    return f"sk-of-{word}"


async def seal_by_key(invocation: Invocation) -> Any:
    """The scripted master agent: it answers with the provider key that it was given."""
    message = invocation.payload["message"]
    key = invocation.payload["configs"]["llm"]["api_key"]
    words = message.split()
    if invocation.payload["agents"]:
        raise AgentError("these users have no agents")
    for number in range(SCRIPTED_LOGS):
        await invocation.log(f"step {number} of {message}")
        await asyncio.sleep(0)  # so that the requests' entries mix
    return answer(f"{words[2]} x {words[-1]}, sealed with {key}")


@frozen
class Place:
    """Where the guests meet. `gateways` are clients that only know an address."""

    system: System
    gateways: list[httpx2.AsyncClient]
    stack: AsyncExitStack
    together: asyncio.Barrier
    logs_each: int
    own_agents: bool


async def gather_crowd(system: System, size: int, *, own_agents: bool) -> Crowd:
    """Let the users chat, each in a session of its own, and wait until all have seen all.

    With several gateways the users spread over them; every third one has a second socket, which
    is on the next gateway where there is one.
    """
    logs_each = CALLING_LOGS + SEALING_LOGS if own_agents else SCRIPTED_LOGS
    async with AsyncExitStack() as stack:
        gateways = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=url))
            for url in system.gateways
        ]
        place = Place(system, gateways, stack, asyncio.Barrier(size), logs_each, own_agents)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_visit(place, number)) for number in range(size)]
    visits = await _add_rows(system, [task.result() for task in tasks])
    return Crowd(visits, _count_begun(visits), logs_each)


async def _visit(place: Place, number: int) -> Visit:
    guest = await _arrive(place, number)
    chosen = [number, number + 1] if number % 3 == 0 else [number]
    chats = [await _open_chat(place, guest, gateway) for gateway in chosen]
    await place.together.wait()
    for message in range(1, MESSAGES):
        await chats[message % len(chats)].send(guest.question(message))
    first = await _receive(chats, (MESSAGES - 1) * (place.logs_each + 1))
    await place.together.wait()  # what was said too often or to the wrong one is on its way by now
    await chats[0].send(guest.question(MESSAGES))
    last = await _receive(chats, place.logs_each + 1)
    frames = [before + after for before, after in zip(first, last, strict=True)]
    return Visit(
        guest,
        frames,
        history=await guest.user.history(guest.session_id),
        logs=(await guest.user.http.get(f"/api/logs/list?session_id={guest.session_id}")).json(),
    )


async def _arrive(place: Place, number: int) -> Guest:
    gateway = place.system.gateways[number % len(place.gateways)]
    user = await place.stack.enter_async_context(register_user(gateway))
    word = f"Word{uuid4().hex}"
    await user.create_config(api_key=_provider_key(word))
    guest = Guest(user, word, str(uuid4()))
    return await _with_agent(place, guest) if place.own_agents else guest


async def _with_agent(place: Place, guest: Guest) -> Guest:
    user, seal = guest.user, uuid4().hex
    registered = await user.register_agent()
    place.stack.enter_context(run_agent(place.system, "1.0", registered["jwt"], seal))

    async def is_active() -> bool:
        return bool((await user.read_agent(registered["id"]))["is_active"])

    await eventually(is_active, f"agent {registered['id']} is active", seconds=20)
    agent = await user.read_agent(registered["id"])
    return attrs.evolve(guest, seal=seal, agent=agent)


async def _open_chat(place: Place, guest: Guest, number: int) -> Chat:
    there = attrs.evolve(guest.user, http=place.gateways[number % len(place.gateways)])
    return await place.stack.enter_async_context(there.chat(guest.session_id))


async def _receive(chats: list[Chat], count: int) -> list[list[Json]]:
    """The next frames of each socket."""

    async def receive(chat: Chat) -> list[Json]:
        return [await chat.receive() for _ in range(count)]

    return await asyncio.gather(*(receive(chat) for chat in chats))


async def _add_rows(system: System, visits: list[Visit]) -> list[Visit]:
    """The visits with what PostgreSQL holds of each."""
    connection = await asyncpg.connect(system.settings.database_url)
    try:
        return [await _add_rows_of(connection, visit) for visit in visits]
    finally:
        await connection.close()


async def _add_rows_of(connection: "asyncpg.Connection[asyncpg.Record]", visit: Visit) -> Visit:
    logs = """
        SELECT seq, request_id, agent_id, creator_id, log_level, message
        FROM logs WHERE session_id = $1 ORDER BY id
    """
    chat = """
        SELECT request_id, sender_type, content FROM chatmessages
        WHERE conversation_id = $1 ORDER BY created_at
    """
    requests = """
        SELECT id, creator_id, status, seq FROM requests
        WHERE session_id = $1 ORDER BY position
    """

    async def select(statement: str) -> list[Json]:
        rows = await connection.fetch(statement, UUID(visit.guest.session_id))
        return [_plain(row) for row in rows]

    return attrs.evolve(
        visit,
        log_rows=await select(logs),
        chat_rows=await select(chat),
        request_rows=await select(requests),
    )


def _plain(row: "asyncpg.Record") -> Json:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}


def _count_begun(visits: list[Visit]) -> Counter[Ids]:
    """What the local stack's master agent says first about each request that it is given."""
    return Counter(
        (visit.guest.session_id, row["request_id"])
        for visit in visits
        for row in visit.log_rows
        if row["message"].startswith("Looking for an agent")
    )
