"""What anybody could do who reached the router, tried at a door."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from attrs import frozen
from websockets.exceptions import ConnectionClosed

from agent_bridge.router.frames import NOT_ACTIVE
from shared.tokens import issue_agent_token
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    log_frame,
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


@pytest.mark.parametrize(
    "name",
    ["master_server_ml", "master_server_be", ML_KEY, BE_KEY],
    ids=["master agent", "back-end", "its key", "the back-end's key"],
)
async def test_whoever_names_himself_master_gets_no_place(
    system: System, user: User, place: Place, name: str
) -> None:
    for door in system.doors:
        async with visiting(door, X_Custom_Authorization=name) as stranger:
            await stranger.say(REGISTER)
            assert await _is_answered(user)
            assert [frame["error"]["error_message"] for frame in stranger.heard] == [NOT_REGISTERED]
        assert await _is_answered(user)


async def test_an_agents_id_without_its_token_gets_none_of_its_calls(
    system: System, user: User, place: Place
) -> None:
    for shown in (place.agent_id, _forged(system, place.agent_id), user.token):
        async with visiting(system.doors[1], X_Custom_Authorization=shown) as stranger:
            await stranger.say(REGISTER)
            calling = asyncio.create_task(
                call(
                    system.doors[1],
                    master_key(place.agent_id),
                    call_frame(place.agent_id, place.request_id, place.session_id, text="secret"),
                )
            )
            await eventually(lambda: _has(place.agent.invocations), "the agent itself is called")
            await place.agent.say(answer_to(place.agent.invocations.pop(0), "mine"))
            assert (await calling)["response"] == "mine"
            assert not stranger.invocations
            place.agent.heard.clear()
        assert (await user.read_agent(place.agent_id))["is_active"]


async def _has(things: list[Any]) -> bool:
    return bool(things)


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


@pytest.mark.parametrize(
    "key", [BE_KEY, "something", f"{ML_KEY}x"], ids=["the back-end's", "another", "nearly it"]
)
async def test_a_key_that_is_not_the_master_agents_opens_nothing(system: System, key: str) -> None:
    async with visiting(system.doors[0], API_KEY=key) as stranger:
        assert await stranger.end() == 4000


async def test_who_shows_nothing_is_sent_away(system: System) -> None:
    async with visiting(system.doors[0]) as stranger:
        assert await stranger.end() == 4000
        assert stranger.heard == []


@pytest.mark.parametrize(
    "key",
    [BE_KEY, f"{BE_KEY}:master_server_ml:x", "master_server_ml", "a:b", f"{uuid4()}:x"],
    ids=["back-end", "lane", "master agent", "words", "nobody called"],
)
async def test_a_key_for_calls_that_names_no_agents_opens_nothing(system: System, key: str) -> None:
    async with visiting(system.doors[0], x_custom_invoke_key=key) as stranger:
        assert await stranger.end() == 4000


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


async def test_only_who_is_connected_may_call_and_only_agents_of_his_user(
    system: System, user: User, other_user: User, place: Place
) -> None:
    gone = await user.register_agent()
    frame = call_frame(place.agent_id, place.request_id, place.session_id)
    async with agent_at(system.doors[0], other_user) as (_, foreign):
        for caller in (gone["id"], foreign["id"], str(uuid4())):
            answered = await call(system.doors[1], f"{caller}:{place.agent_id}", frame)
            assert answered["error"]["error_message"] == NOT_ACTIVE
    assert place.agent.invocations == []


async def test_the_master_agent_calls_agents_of_whose_request_it_works_on(
    system: System, user: User, other_user: User, place: Place
) -> None:
    async with agent_at(system.doors[0], other_user) as (foreign, registered):
        theirs = call_frame(registered["id"], place.request_id, place.session_id)
        mine = call_frame(place.agent_id, str(uuid4()), place.session_id)
        for frame in (theirs, mine):
            key = master_key(frame["agent_uuid"])
            answered = await call(system.doors[1], key, frame)
            assert answered["error"]["error_message"] == NOT_ACTIVE
        assert foreign.invocations == []
    assert place.agent.invocations == []


async def test_a_call_goes_to_whom_its_key_names(system: System, user: User, place: Place) -> None:
    async with agent_at(system.doors[0], user) as (_, other):
        frame = call_frame(place.agent_id, place.request_id, place.session_id)
        answered = await call(system.doors[1], master_key(other["id"]), frame)
        assert answered["error"]["error_message"] == NOT_ACTIVE
    assert place.agent.invocations == []


async def test_what_an_agent_logs_is_its_own(
    system: System, user: User, other_user: User, place: Place
) -> None:
    ids = place.request_id, place.session_id
    async with agent_at(system.doors[1], user) as (agent, registered):
        await agent.say(log_frame("I", *ids, agent_uuid=place.agent_id))
        await agent.say(log_frame("I again", *ids, agent_uuid="master_server_ml"))
        logs = await _logs(user, place, 2)
        assert {log["agent_id"] for log in logs} == {registered["id"]}
    async with agent_at(system.doors[1], other_user) as (foreign, _):
        await foreign.say(log_frame("in a foreign chat", *ids, agent_uuid=place.agent_id))
        await place.agent.say(log_frame("the last", *ids))
        assert [log["message"] for log in await _logs(user, place, 3)] == [
            "I",
            "I again",
            "the last",
        ]


async def test_who_takes_an_agents_place_at_the_router_logs_nothing_in_its_name(
    system: System, user: User, place: Place
) -> None:
    """Somebody who reaches the router itself, which nobody ought to."""
    ids = place.request_id, place.session_id
    async with (
        agent_at(system.router_url, user) as (direct, _),  # as before there were doors
        visiting(system.router_url, X_Custom_Authorization=place.agent_id) as impostor,
    ):
        await impostor.say(log_frame("forged", *ids))
        await direct.say(log_frame("after that", *ids))
        assert [log["message"] for log in await _logs(user, place, 1)] == ["after that"]


async def _logs(user: User, place: Place, number: int) -> list[Json]:
    logs: list[Json] = []

    async def are_there() -> bool:
        query = {"request_id": place.request_id}
        logs[:] = (await user.http.get("/api/logs/list", params=query)).json()
        return len(logs) >= number

    await eventually(are_there, f"{number} log entries")
    return logs


async def test_nobody_answers_a_call_of_another_one(
    system: System, user: User, place: Place
) -> None:
    frame = call_frame(place.agent_id, place.request_id, place.session_id)
    calling = asyncio.create_task(call(system.doors[1], master_key(place.agent_id), frame))
    invocation = await place.agent.next_invocation()
    async with agent_at(system.doors[0], user) as (other, _):
        for shown in (invocation["invoked_by"], f"{ML_KEY}:{place.agent_id}", BE_KEY):
            await other.say(answer_to({"invoked_by": shown}, "forged"))
        await other.say(log_frame("all was said", place.request_id, place.session_id))
        await _logs(user, place, 1)
    assert not calling.done()
    await place.agent.say(answer_to(invocation, "true"))
    assert (await calling)["response"] == "true"


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


async def test_who_only_names_two_agents_costs_no_connection_to_the_router(
    system: System, user: User, place: Place
) -> None:
    async with agent_at(system.doors[0], user) as (_, caller):
        key = f"{caller['id']}:{place.agent_id}"
        before = _connections_to_router(system)
        async with AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(visiting(system.doors[0], x_custom_invoke_key=key))
            assert _connections_to_router(system) == before


def _connections_to_router(system: System) -> int:
    process = psutil.Process(system.children["router"].pid)
    return sum(each.status == psutil.CONN_ESTABLISHED for each in process.net_connections("tcp"))
