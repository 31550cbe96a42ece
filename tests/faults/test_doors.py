"""Doors whose bridge is killed, frozen or drained, or whose router goes; and stubborn agents."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from itertools import pairwise
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest
from attrs import define, field, frozen
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent_bridge.doors.closes import SERVICE_RESTART
from agent_bridge.doors.connected import REPLACED
from agent_bridge.doors.keeping import STEADY_SECONDS, TOKEN_ENDED, TOKEN_EXPIRED
from agent_bridge.doors.queries import LEASE_SECONDS
from devstack.processes import HOST, Child
from shared.tokens import issue_agent_token
from tests.agent_bridge.broken import freezing
from tests.agent_bridge.stored import execute, lock_user
from tests.agents.running import Generation, run_agent, run_steady_agent
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    until_active,
    visiting,
)
from tests.master import answer
from tests.system import ML_KEY, System
from tests.users import Json, User, eventually, register_user

PROMPT_SECONDS = 1.5  # a second, and what the test itself takes on a busy machine
PATIENCE_SECONDS = 20.0


@frozen
class Door:
    """A bridge with a door."""

    child: Child
    url: str
    health: str


@contextmanager
def door(stage: System, *alterations: str, **overrides: str) -> Iterator[Door]:
    """A bridge with a door that is gone when the block ends."""
    child = stage.start_door(*alterations, **overrides)
    try:
        yield Door(child, stage.doors[-1], stage.bridges[-1])
    finally:
        child.kill()
        stage.doors.remove(stage.doors[-1])


@pytest.fixture
def doors(bare_stage: System) -> Iterator[tuple[Door, Door]]:
    """Two of them."""
    with door(bare_stage) as first, door(bare_stage) as second:
        yield first, second


@asynccontextmanager
async def returning(url: str, user: User, registered: Json) -> AsyncIterator[Visitor]:
    """The same agent, connected once more and active."""
    async with visiting(url, X_Custom_Authorization=registered["jwt"]) as visitor:
        await visitor.say(REGISTER)
        await until_active(user, registered["id"], is_active=True)
        yield visitor


async def until_reached(url: str, key: str, visitor: Visitor) -> float:
    """Call an agent until it is heard; how many seconds that took."""
    visitor.react = lambda frame: answer_to(frame, "here") if "invoked_by" in frame else None
    callee, began = key.partition(":")[2], asyncio.get_running_loop().time()

    async def is_heard() -> bool:
        with suppress(OSError, TimeoutError, ConnectionClosed):
            async with asyncio.timeout(PROMPT_SECONDS):
                return (await call(url, key, call_frame(callee))).get("response") == "here"
        return False

    await eventually(is_heard, "the agent is reached", PATIENCE_SECONDS)
    return asyncio.get_running_loop().time() - began


async def _is_active(user: User, agent_id: str) -> bool:
    return bool((await user.read_agent(agent_id))["is_active"])


async def test_agents_of_a_killed_bridge_are_inactive_when_its_lease_is_over(
    doors: tuple[Door, Door], asker: User
) -> None:
    first, second = doors
    await asyncio.sleep(STEADY_SECONDS + 1)  # before, no bridge judges others
    async with (
        agent_at(first.url, asker) as (_, staying),
        agent_at(first.url, asker) as (_, moving),
    ):
        first.child.kill()
        killed_at = asyncio.get_running_loop().time()
        async with returning(second.url, asker, moving):
            while await _is_active(asker, staying["id"]):
                assert asyncio.get_running_loop().time() - killed_at < LEASE_SECONDS + 1.5
                assert await _is_active(asker, moving["id"])
                await asyncio.sleep(0.05)
            assert await _is_active(asker, moving["id"])
        await until_active(asker, moving["id"], is_active=False)


async def test_the_newer_connection_of_an_agent_wins_at_whichever_bridge(
    doors: tuple[Door, Door], asker: User
) -> None:
    first, second = doors
    async with agent_at(second.url, asker) as (_, caller), AsyncExitStack() as stack:
        older, registered = await stack.enter_async_context(agent_at(first.url, asker))
        key = f"{caller['id']}:{registered['id']}"
        for url in (second.url, first.url, first.url):
            newer = await stack.enter_async_context(returning(url, asker, registered))
            async with asyncio.timeout(PROMPT_SECONDS):
                assert await older.end() == 1008
            assert [each["error"]["error_message"] for each in older.heard[-1:]] == [REPLACED]
            await until_reached(first.url, key, newer)
            assert await _is_active(asker, registered["id"])
            assert newer.connection.close_code is None
            older = newer


async def test_when_the_router_restarts_agents_end_and_come_back(
    doors: tuple[Door, Door], stage: System, asker: User
) -> None:
    first, second = doors
    async with (
        agent_at(first.url, asker) as (one, registered),
        agent_at(second.url, asker) as (two, other),
    ):
        stage.children["router"].kill()
        assert [await one.end(), await two.end()] == [SERVICE_RESTART, SERVICE_RESTART]
        for each in (registered, other):
            await until_active(asker, each["id"], is_active=False)
        async with visiting(first.url, X_Custom_Authorization=registered["jwt"]) as early:
            assert await early.end() == 1013
        stage.start_router()
        async with (
            returning(second.url, asker, registered) as back,
            returning(first.url, asker, other),
        ):
            await until_reached(first.url, f"{other['id']}:{registered['id']}", back)


async def test_agents_of_a_bridge_that_was_frozen_are_active_again_and_reached(
    doors: tuple[Door, Door], asker: User
) -> None:
    first, second = doors
    async with (
        agent_at(first.url, asker) as (agent, registered),
        agent_at(second.url, asker) as (_, caller),
    ):
        with freezing(first.child):
            await until_active(asker, registered["id"], is_active=False)
        await until_active(asker, registered["id"], is_active=True)
        await until_reached(second.url, f"{caller['id']}:{registered['id']}", agent)
        assert agent.connection.close_code is None
    await until_active(asker, registered["id"], is_active=False)


async def test_who_is_noted_at_a_door_and_is_not_there_is_inactive_soon(
    doors: tuple[Door, Door], stage: System, asker: User
) -> None:
    """That he left may have been lost, or come before he was noted again."""
    registered = await asker.register_agent()
    execute(
        stage,
        """
        INSERT INTO door_connections (identity, agent_id, connection_id, bridge_id, connected_at)
        SELECT CAST(id AS text), id, gen_random_uuid(), doors.bridge_id, now() - interval '1 minute'
        FROM agents, doors WHERE agents.id = %s ORDER BY alive_until DESC LIMIT 1
        """,
        registered["id"],
    )
    execute(stage, "UPDATE agents SET is_active = true WHERE id = %s", registered["id"])
    await until_active(asker, registered["id"], is_active=False)
    async with returning(doors[0].url, asker, registered):
        pass


async def _delete(_stage: System, user: User, agent_id: str) -> None:
    assert (await user.http.delete(f"/api/agents/{agent_id}")).status_code == 204


async def _renew(_stage: System, user: User, agent_id: str) -> None:
    assert (await user.http.post(f"/api/agents/{agent_id}/token")).status_code == 200


@pytest.mark.parametrize("end", [_delete, _renew])
async def test_whose_token_ends_is_out_at_once(
    doors: tuple[Door, Door],
    stage: System,
    asker: User,
    end: Callable[[System, User, str], Awaitable[None]],
) -> None:
    for each in doors:
        async with agent_at(each.url, asker) as (agent, registered):
            await end(stage, asker, registered["id"])
            async with asyncio.timeout(PROMPT_SECONDS):
                assert await agent.end() == 1008
            assert [frame["error"]["error_message"] for frame in agent.heard] == [TOKEN_ENDED]


async def test_whose_token_expires_is_out_at_once(
    doors: tuple[Door, Door], stage: System, asker: User
) -> None:
    for each in doors:
        registered = await asker.register_agent()
        ids = UUID(registered["id"]), UUID(asker.id)
        token = issue_agent_token(stage.settings.secret_key, *ids, 3)
        execute(stage, "UPDATE agents SET jwt = %s WHERE id = %s", token, registered["id"])
        async with returning(each.url, asker, {**registered, "jwt": token}) as agent:
            async with asyncio.timeout(3 + PROMPT_SECONDS):
                assert await agent.end() == 1008
            assert [frame["error"]["error_message"] for frame in agent.heard] == [TOKEN_EXPIRED]


async def test_whose_user_is_locked_is_out_at_once_and_stays_out_until_he_is_let_in(
    doors: tuple[Door, Door], stage: System, asker: User
) -> None:
    """Nobody tells the bridges: they find that out themselves, with Redis or without."""
    first, second = doors
    async with (
        register_user(stage.gateway) as other,
        agent_at(first.url, other) as (neighbour, spared),
        agent_at(first.url, asker) as (one, registered),
        agent_at(second.url, asker) as (two, _),
    ):
        lock_user(stage, asker.id)
        for agent in (one, two):
            async with asyncio.timeout(PROMPT_SECONDS):
                assert await agent.end() == 1008
            assert [frame["error"]["error_message"] for frame in agent.heard] == [TOKEN_ENDED]
        for each in doors:
            async with visiting(each.url, X_Custom_Authorization=registered["jwt"]) as again:
                assert await again.end() == 1008
        assert await _is_active(other, spared["id"])
        assert neighbour.connection.close_code is None
        lock_user(stage, asker.id, is_locked=False)
        await asker.sign_in_again()
        assert not await _is_active(asker, registered["id"])
        async with returning(second.url, asker, registered):
            pass


async def test_whose_user_is_deleted_is_out_at_once(
    doors: tuple[Door, Door], stage: System
) -> None:
    async with register_user(stage.gateway) as user:
        await user.create_config()
        async with agent_at(doors[0].url, user) as (agent, _):
            execute(stage, "DELETE FROM users WHERE id = %s", user.id)
            async with asyncio.timeout(PROMPT_SECONDS):
                assert await agent.end() == 1008


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_of_either_generation_stops_when_its_token_ends(
    doors: tuple[Door, Door], stage: System, asker: User, generation: Generation
) -> None:
    registered = await asker.register_agent()
    with run_agent(stage, generation, registered["jwt"], "seal") as child:
        await until_active(asker, registered["id"], is_active=True)
        await _renew(stage, asker, registered["id"])

        async def has_stopped() -> bool:
            return child.has_ended or "ERROR" in child.last_lines().upper()

        await eventually(has_stopped, "it has stopped")
        await until_active(asker, registered["id"], is_active=False)


@asynccontextmanager
async def stubborn(url: str, user: User) -> AsyncIterator[Json]:
    """An agent that reads nothing any more, not even that it is to leave."""
    async with agent_at(url, user) as (visitor, registered):
        visitor.connection.transport.pause_reading()
        try:
            yield registered
        finally:
            visitor.connection.transport.abort()


async def test_who_does_not_leave_holds_up_nobody(doors: tuple[Door, Door], asker: User) -> None:
    first, _ = doors
    await asyncio.sleep(STEADY_SECONDS + 1)  # so that the other bridge would judge this one
    async with (
        agent_at(first.url, asker) as (witness, registered),
        agent_at(first.url, asker) as (polite, leaving),
        AsyncExitStack() as stack,
    ):
        ids = [(await stack.enter_async_context(stubborn(first.url, asker)))["id"] for _ in "12345"]
        await asyncio.gather(*(_delete(None, asker, id_) for id_ in ids))  # type: ignore[arg-type]
        await _delete(None, asker, leaving["id"])  # type: ignore[arg-type]
        async with asyncio.timeout(PROMPT_SECONDS):
            assert await polite.end() == 1008
        deadline = asyncio.get_running_loop().time() + 2 * LEASE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            assert await _is_active(asker, registered["id"])
            await asyncio.sleep(0.05)
        assert witness.connection.close_code is None
    assert "was not renewed" not in first.child.log.read_text()


async def test_who_takes_nothing_costs_his_own_connection_only(
    bare_stage: System, asker: User
) -> None:
    with door(bare_stage, "hasty_door") as one:
        async with (
            agent_at(one.url, asker) as (slow, registered),
            agent_at(one.url, asker) as (other, third),
            visiting(one.url, x_custom_invoke_key=f"{third['id']}:{registered['id']}") as caller,
        ):
            slow.connection.transport.pause_reading()
            for _ in range(16):
                await caller.say(call_frame(registered["id"], text="x" * 900_000))
            await until_active(asker, registered["id"], is_active=False)
            assert "takes nothing any more" in one.child.log.read_text()
            assert caller.connection.close_code is None
            slow.connection.transport.abort()
            async with agent_at(one.url, asker) as (_, fourth):
                await until_reached(one.url, f"{fourth['id']}:{third['id']}", other)


async def test_of_more_unanswered_calls_than_are_remembered_the_oldest_is_given_up(
    bare_stage: System, asker: User
) -> None:
    with door(bare_stage, "few_calls") as one:
        async with (
            agent_at(one.url, asker) as (agent, registered),
            agent_at(one.url, asker) as (_, other),
            AsyncExitStack() as stack,
        ):
            key = f"{other['id']}:{registered['id']}"
            callers: list[Visitor] = []
            for number in range(4):
                connecting = visiting(one.url, x_custom_invoke_key=key)
                callers.append(await stack.enter_async_context(connecting))
                await callers[-1].say(call_frame(registered["id"], number=number))
                await eventually(
                    lambda most=number: _are(agent.invocations, most + 1),  # type: ignore[misc]
                    "it is called",
                )
            await eventually(lambda: _are(callers[0].heard, 1), "the oldest is told")
            message = callers[0].heard[0]["error"]["error_message"]
            assert message == "The agent has left more than 3 calls unanswered"
            for invocation in agent.invocations:
                number = invocation["request_payload"]["number"]
                await agent.say(answer_to(invocation, number))
            for number, each in enumerate(callers[1:], 1):
                await eventually(lambda each=each: _are(each.heard, 1), "it is answered")  # type: ignore[misc]
                assert each.heard[0]["response"] == number
            assert len(callers[0].heard) == 1


async def _are(things: list[Json], number: int) -> bool:
    return len(things) >= number


async def go_down(one: Door) -> None:
    """Tell it to end, and wait until it says that it does."""
    one.child.process.send_signal(signal.SIGTERM)
    async with httpx2.AsyncClient(base_url=one.health) as http:

        async def is_draining() -> bool:
            return bool((await http.get("/ready")).json()["draining"])

        await eventually(is_draining, "the bridge is not ready any more")


async def test_agents_stay_at_a_drained_door_until_the_requests_have_ended(
    bare_stage: System, asker: User
) -> None:
    """And calls that came from other bridges, too."""
    variables = {"DRAIN_TIMEOUT": "30"}
    with door(bare_stage, **variables) as first, door(bare_stage, **variables) as second:
        async with (
            visiting(second.url, API_KEY=ML_KEY) as master,
            agent_at(second.url, asker) as (agent, registered),
            agent_at(first.url, asker) as (_, other),
            visiting(first.url, x_custom_invoke_key=f"{other['id']}:{registered['id']}") as caller,
            AsyncExitStack() as stack,
        ):
            chats = [await stack.enter_async_context(asker.chat()) for _ in range(6)]
            for chat in chats:
                await chat.send("running")

            async def are_all_there() -> bool:
                return len(master.invocations) == len(chats)

            await eventually(are_all_there, "the master agent works on all")
            await caller.say(call_frame(registered["id"]))
            call_of_other = await agent.next_invocation()
            await go_down(second)
            for headers in (
                {"X-Custom-Authorization": registered["jwt"]},
                {"x-custom-invoke-key": f"{registered['id']}:{registered['id']}"},
            ):
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(second.url, additional_headers=headers):
                        pass
                assert refused.value.response.status_code == 503
            assert agent.connection.close_code is None
            assert await _is_active(asker, registered["id"])
            for invocation in master.invocations:
                await master.say(answer_to(invocation, answer("in time")))
            for chat in chats:
                frame = await chat.receive_answer()
                assert frame["response"]["response"] == answer("in time")
            await agent.say(answer_to(call_of_other, "in time"))
            await eventually(lambda: _are(caller.heard, 1), "the other agent is answered")
            assert caller.heard[0]["response"] == "in time"
            assert await agent.end() == SERVICE_RESTART
            assert await master.end() == SERVICE_RESTART
            assert await asyncio.to_thread(second.child.process.wait, 15) == -signal.SIGTERM
            await until_active(asker, registered["id"], is_active=False)
            async with returning(first.url, asker, registered):
                pass


@define
class Balancer:
    """One address for several doors; new connections go to one of them."""

    url: str = ""
    target: str = ""
    writers: list[asyncio.StreamWriter] = field(factory=list)

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect whoever comes to the door of the moment."""
        address = urlsplit(self.target)
        assert address.port is not None
        back, forth = await asyncio.open_connection(address.hostname, address.port)
        self.writers += [forth, writer]
        await asyncio.gather(_pipe(reader, forth), _pipe(back, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(64 * 1024):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.fixture
async def balancer() -> AsyncIterator[Balancer]:
    balancer = Balancer()
    async with await asyncio.start_server(balancer.lead, HOST, 0) as server:
        balancer.url = f"ws://{HOST}:{server.sockets[0].getsockname()[1]}/ws"
        yield balancer
        for writer in balancer.writers:
            writer.transport.abort()


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_of_a_drained_bridge_comes_back_at_another_one(
    generation: Generation,
    bare_stage: System,
    asker: User,
    balancer: Balancer,
    record_property: Callable[..., None],
) -> None:
    """With a supervisor that has it connect again at once; neither library does."""
    registered = await asker.register_agent()
    with door(bare_stage, DRAIN_TIMEOUT="20") as first, door(bare_stage) as second:
        balancer.target = first.url
        bare_stage.doors.append(balancer.url)
        with run_steady_agent(bare_stage, generation, registered["jwt"]):
            bare_stage.doors.remove(balancer.url)
            await until_active(asker, registered["id"], is_active=True)
            async with agent_at(second.url, asker) as (_, caller):
                gap = await _measure_gap(
                    second.url, f"{caller['id']}:{registered['id']}", first, second, balancer
                )
            record_property("seconds_away", gap)
            assert gap < LEASE_SECONDS
            await until_active(asker, registered["id"], is_active=True)


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
@pytest.mark.parametrize("cause", ["bridge", "router"])
async def test_an_agent_that_is_cut_off_ends_and_what_supervises_it_starts_it_again(
    generation: Generation, cause: str, bare_stage: System, asker: User
) -> None:
    registered = await asker.register_agent()
    with door(bare_stage):
        with (
            door(bare_stage, DRAIN_TIMEOUT="20") as first,
            run_agent(bare_stage, generation, registered["jwt"], "seal") as agent,
        ):
            await until_active(asker, registered["id"], is_active=True)
            if cause == "bridge":
                first.child.process.send_signal(signal.SIGTERM)
            else:
                bare_stage.children["router"].kill()
            await asyncio.to_thread(agent.process.wait, 10)
            await until_active(asker, registered["id"], is_active=False)
            if cause == "router":
                bare_stage.start_router()
        with run_agent(bare_stage, generation, registered["jwt"], "seal"):
            await until_active(asker, registered["id"], is_active=True)


async def _measure_gap(url: str, key: str, first: Door, second: Door, balancer: Balancer) -> float:
    """The longest time between two answered calls, over a drain."""
    now, answered = asyncio.get_running_loop().time, []
    enough = asyncio.Event()

    async def ask() -> None:
        frame = call_frame(key.partition(":")[2], text="hello")
        while not enough.is_set():
            with suppress(ConnectionClosed, TimeoutError):
                async with (
                    asyncio.timeout(1),
                    connect(url, additional_headers={"x-custom-invoke-key": key}) as caller,
                ):
                    await caller.send(json.dumps(frame))
                    if "response" in json.loads(await caller.recv()):
                        answered.append(now())
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    await eventually(lambda: _are_many(answered, 10), "calls are answered")
    balancer.target = second.url
    first.child.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(first.child.process.wait, 20)
    count = len(answered)
    await eventually(lambda: _are_many(answered, count + 10), "calls are answered again", 20)
    enough.set()
    await asking
    return max(later - earlier for earlier, later in pairwise(answered))


async def _are_many(things: list[float], number: int) -> bool:
    return len(things) >= number
