"""What anybody could do who reached the router, tried at a door."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from attrs import frozen
from websockets.exceptions import ConnectionClosed

from agent_bridge.router.frames import NOT_ACTIVE
from shared.tokens import issue_agent_token
from tests.end_to_end.doors.visitors import (
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    master_key,
    until_active,
    visiting,
)
from tests.master import Invocation, Master, answer, run_master
from tests.system import BE_KEY, ML_KEY, System
from tests.users import Json, User, eventually

NOT_REGISTERED = "Agent ID was not registered before"
SECRET = "sk-user-secret"  # the user's provider has it
MIB = 1024 * 1024


@frozen
class Place:
    """A user's agent that is connected, and a request that the master agent works on."""

    agent: Visitor
    registered: Json
    request_id: str
    session_id: str

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return str(self.registered["id"])


@pytest.fixture
async def place(system: System, user: User, master: Master) -> AsyncIterator[Place]:
    """Of the user; his request runs until the test ends."""
    ended = asyncio.Event()
    begun: asyncio.Queue[Invocation] = asyncio.Queue()

    async def behave(invocation: Invocation) -> object:
        if invocation.payload["message"] == "wait":
            begun.put_nowait(invocation)
            await ended.wait()
        return answer(f"echo: {invocation.payload['message']}")

    master.behave = behave
    async with agent_at(system.doors[0], user) as (agent, registered), user.chat() as chat:
        await chat.send("wait")
        async with asyncio.timeout(10):
            invocation = await begun.get()
        yield Place(agent, registered, invocation.request_id, invocation.session_id)
        ended.set()
        await chat.receive()


def _forged(system: System, agent_id: str) -> str:
    return issue_agent_token("another secret key of 32 bytes or more", UUID(agent_id), uuid4())


async def _is_answered(user: User) -> bool:
    async with user.chat() as chat:
        frame = await chat.ask("hello")
        return bool(frame["response"]["response"] == answer("echo: hello"))


async def test_a_frame_that_is_too_large_ends_its_sender_alone(
    system: System, user: User, place: Place
) -> None:
    async with agent_at(system.doors[0], user) as (agent, registered):
        with suppress(ConnectionClosed):  # before the last part is sent
            await agent.connection.send(["x" * MIB] * 17)
        await until_active(user, registered["id"], is_active=False)
        assert await agent.end() == 1009
    assert place.agent.connection.close_code is None
    assert await _is_answered(user)


async def test_nobody_sees_the_keys(system: System, user: User, place: Place) -> None:
    key = master_key(place.agent_id)
    frame = call_frame(place.agent_id, place.request_id, place.session_id)
    calling = asyncio.create_task(call(system.doors[1], key, frame))
    invocation = await place.agent.next_invocation()
    await place.agent.say(answer_to(invocation, "done"))
    await calling
    said = json.dumps(place.agent.heard)
    assert BE_KEY not in said
    assert ML_KEY not in said


async def test_a_call_goes_to_whom_its_key_names(system: System, user: User, place: Place) -> None:
    async with agent_at(system.doors[0], user) as (_, other):
        frame = call_frame(place.agent_id, place.request_id, place.session_id)
        answered = await call(system.doors[1], master_key(other["id"]), frame)
        assert answered["error"]["error_message"] == NOT_ACTIVE
    assert place.agent.invocations == []


async def _logs(user: User, place: Place, number: int) -> list[Json]:
    logs: list[Json] = []

    async def are_there() -> bool:
        query = {"request_id": place.request_id}
        logs[:] = (await user.http.get("/api/logs/list", params=query)).json()
        return len(logs) >= number

    await eventually(are_there, f"{number} log entries")
    return logs


@pytest.mark.parametrize("key", [ML_KEY, None], ids=["with its key", "with its name"])
async def test_who_takes_the_master_agents_place_at_the_router_reads_nothing(
    system: System, user: User, key: str | None
) -> None:
    """Somebody who reaches the router itself, which nobody ought to."""
    shown = {"API_KEY": key} if key else {"X_Custom_Authorization": "master_server_ml"}
    async with (
        run_master(system.router_url, door_url=system.doors[0]),
        visiting(system.router_url, **shown) as impostor,
    ):
        await asyncio.gather(*(_ask(user, f"for you alone {n}") for n in range(20)))
        said = json.dumps(impostor.heard)
        assert SECRET not in said
        assert "for you alone" not in said
        assert BE_KEY not in [each.get("API-KEY") for each in impostor.heard]

        async def is_back() -> bool:
            return (await _ask(user, "and now")) == "echo: and now"

        await eventually(is_back, "the master agent has its place again")


async def _ask(user: User, text: str) -> str:
    async with user.chat() as chat:
        frame = await chat.ask(text)
        response = frame["response"]["response"]
        return str(response["response"])
