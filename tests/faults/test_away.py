"""PostgreSQL or Redis goes away under open sockets, and comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import psutil
import pytest
from attrs import frozen

from agent_bridge.doors.connected import REPLACED
from devstack.postgres import PostgresServer
from devstack.processes import free_port
from devstack.valkey import ValkeyServer
from shared.upgrade.migrate import migrate
from tests.agent_bridge.actors import until_invoked
from tests.agent_bridge.stored import select
from tests.agui import make_input, refused, running, say
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    agent_at,
    answer_to,
    call_frame,
    log_frame,
    master_key,
    until_active,
    visiting,
)
from tests.end_to_end.socket.front_end import RESPONSE_KEYS, close_code
from tests.faults.mortal import Mortal, hold_postgres, hold_valkey
from tests.faults.test_lost_notifications import MESSAGES, assert_chat_goes_on, log_and_echo
from tests.gateway.agui.front_end import check_run
from tests.master import Invocation, Master, answer, run_master
from tests.system import ML_KEY, System, create_database, make_environment, run_system, url_of
from tests.users import Json, User, eventually, register_user

AWAY_SECONDS = 3.0
CPU_SHARE = 0.5  # of one core; a loop that spins takes all of it


@frozen
class Mortals:
    """A gateway and a bridge, and what may go away under them."""

    system: System
    postgres: Mortal[PostgresServer]
    valkey: Mortal[ValkeyServer]

    @property
    def services(self) -> list[psutil.Process]:
        """The processes of the gateway and the bridge."""
        names = ("gateway 1", "bridge 1")
        return [psutil.Process(self.system.children[name].pid) for name in names]


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with hold_postgres() as postgres, hold_valkey() as valkey:
        server = postgres.start()
        database = create_database(server)
        migrate(url_of(server, database))
        environment = make_environment(server, database, valkey.start(), free_port())
        with run_system(environment) as system:
            system.start_router()
            system.start_gateway()
            system.start_bridge()
            yield Mortals(system, postgres, valkey)


@contextmanager
def _taking_turns(services: list[psutil.Process]) -> Iterator[None]:
    """None of them ends in the block, or takes much of a core."""
    before = [_cpu_seconds(service) for service in services]
    began = asyncio.get_running_loop().time()
    yield
    passed = asyncio.get_running_loop().time() - began
    for service, spent in zip(services, before, strict=True):
        assert service.is_running()
        assert _cpu_seconds(service) - spent < CPU_SHARE * passed, service.cmdline()


def _cpu_seconds(service: psutil.Process) -> float:
    times = service.cpu_times()
    return float(times.user + times.system)


async def test_while_postgresql_is_away_senders_are_told_and_nothing_is_stored(
    mortals: Mortals,
) -> None:
    async with (
        register_user(mortals.system.gateway) as user,
        run_master(mortals.system.router_url) as master,
    ):
        await user.create_config()
        async with user.chat() as chat:
            await chat.ask("before")
            mortals.postgres.stop()
            frame = await chat.ask("meanwhile")
            assert frame.keys() == {"type", "response", "seq", "error"}
            assert frame["seq"] is None
            response = frame["response"]
            assert response.keys() == RESPONSE_KEYS
            assert response["is_success"] is False
            assert response["response"] == {
                "agents_trace": [],
                "response": frame["error"],
                "is_success": False,
            }
            query = {"token": user.token, "session_id": chat.session_id}
            assert await close_code(user, **query) == (1013, [])  # not 403: no logging out
            mortals.postgres.start()
            await _until_readable(user, chat.session_id)
            frame = await chat.ask("after")
            assert frame["response"]["response"] == answer("echo: after")
            assert frame["seq"] == 2
            contents = [item["content"] for item in await user.history(chat.session_id)]
        assert [contents[0], contents[2]] == ["before", "after"]
        assert json.loads(contents[3]) == answer("echo: after")
        assert len(contents) == 4
        assert len(master.invocations) == 2


async def _until_readable(user: User, session_id: str) -> None:
    async def holds() -> bool:
        answered = await user.http.get("/api/chat", params={"session_id": session_id})
        return answered.status_code == 200

    await eventually(holds, "the gateway reads PostgreSQL again")


async def test_what_runs_while_postgresql_is_killed_is_answered_when_it_is_back(
    mortals: Mortals,
) -> None:
    may_answer = asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await may_answer.wait()
        return answer("late")

    async with (
        register_user(mortals.system.gateway) as user,
        run_master(mortals.system.router_url, behave) as master,
    ):
        await user.create_config()
        async with user.chat() as chat:
            await chat.send("hello")
            await until_invoked(master)
            mortals.postgres.kill()
            may_answer.set()
            with _taking_turns(mortals.services):
                await asyncio.sleep(AWAY_SECONDS)  # it has to be away for a while
            mortals.postgres.start()
            told = await chat.receive_answer()
            assert told["response"]["response"] == answer("late")
            assert told["seq"] == 1
            assert len(await user.history(chat.session_id)) == 2
        assert len(master.invocations) == 1


async def test_a_run_waits_while_postgresql_is_away_and_none_begins(mortals: Mortals) -> None:
    may_answer = asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await may_answer.wait()
        return answer("late")

    async with (
        register_user(mortals.system.gateway) as user,
        run_master(mortals.system.router_url, behave) as master,
    ):
        await user.create_config()
        async with running(user, make_input(say("hello"))) as stream:
            await until_invoked(master)
            mortals.postgres.stop()
            thread = str(uuid4())
            status, detail = await refused(user, make_input(say("meanwhile"), thread=thread))
            assert (status, detail) == (503, "The database can't be reached, please try again")
            may_answer.set()
            with _taking_turns(mortals.services):
                await asyncio.sleep(AWAY_SECONDS)
            mortals.postgres.start()
            events = [event async for event in stream]
        check_run(events)
        assert [event["delta"] for event in events if "delta" in event] == ["late"]
        assert await user.history(thread) == []
        assert len(master.invocations) == 1


async def test_chats_go_on_while_redis_is_killed_and_when_it_is_back(mortals: Mortals) -> None:
    async with (
        register_user(mortals.system.gateway) as user,
        run_master(mortals.system.router_url, log_and_echo),
    ):
        await user.create_config()
        async with user.chat() as chat:
            mortals.valkey.kill()
            with _taking_turns(mortals.services):
                await assert_chat_goes_on(chat)
            mortals.valkey.start()
            await _until_redis_is_heard(user)
            await assert_chat_goes_on(chat, 3 * MESSAGES + 1)


async def _until_redis_is_heard(user: User) -> None:
    async def holds() -> bool:
        return bool((await user.http.get("/ready")).json()["redis"])

    await eventually(holds, "the gateway hears Redis again")


@contextmanager
def _doors(system: System) -> Iterator[list[str]]:
    """Two bridges more, with doors."""
    children = [system.start_door() for _ in range(2)]
    try:
        yield system.doors[-2:]
    finally:
        for child in children:
            child.kill()
        del system.doors[-2:]


@asynccontextmanager
async def _newcomer(door: str, user: User) -> AsyncIterator[tuple[Visitor, Json]]:
    """A new agent that is let in, and has not said who it is."""
    registered = await user.register_agent()
    async with visiting(door, X_Custom_Authorization=registered["jwt"]) as visitor:
        await visitor.say({"message_type": "new"})
        await eventually(lambda: _is(bool(visitor.heard)), "it is let in")
        yield visitor, registered


async def _is(value: bool) -> bool:
    return value


async def test_agents_come_say_who_they_are_and_leave_while_postgresql_is_away(
    mortals: Mortals,
) -> None:
    system = mortals.system
    with _doors(system) as (first, second):
        async with (
            register_user(system.gateway) as user,
            agent_at(first, user) as (staying, stays),
            agent_at(second, user) as (leaving, leaves),
            _newcomer(first, user) as (late, comes),
            _newcomer(second, user) as (short, is_short),
        ):
            mortals.postgres.stop()
            await late.say(REGISTER)
            await short.say(REGISTER)
            await asyncio.gather(leaving.connection.close(), short.connection.close())
            shown = [{"X_Custom_Authorization": stays["jwt"]}, {"API_KEY": ML_KEY}]
            for headers in shown:
                async with (
                    visiting(second, **headers) as visitor,
                    asyncio.timeout(2 * AWAY_SECONDS),
                ):
                    assert await visitor.end() == 1013
            await asyncio.sleep(AWAY_SECONDS)  # longer than the doors' leases, with the above
            mortals.postgres.start()
            await _until_readable(user, str(uuid4()))
            await until_active(user, comes["id"], is_active=True)
            for gone in (leaves, is_short):
                await until_active(user, gone["id"], is_active=False)
            assert (await user.read_agent(stays["id"]))["is_active"]
            assert (staying.connection.close_code, late.connection.close_code) == (None, None)
            await asyncio.sleep(1)  # a round of looking
            active = [(await user.read_agent(each["id"]))["is_active"] for each in (stays, comes)]
            assert active == [True, True]
            assert not (await user.read_agent(is_short["id"]))["is_active"]


async def test_what_an_agent_answers_waits_for_what_it_logged_before_postgresql_went_away(
    mortals: Mortals,
) -> None:
    system, may_answer = mortals.system, asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await may_answer.wait()
        return answer("late")

    with _doors(system) as (first, second):
        async with (
            register_user(system.gateway) as user,
            run_master(system.router_url, behave) as master,
            agent_at(first, user) as (agent, registered),
            agent_at(second, user) as (leaving, leaves),
            visiting(first, x_custom_invoke_key=master_key(registered["id"])) as patient,
            visiting(second, x_custom_invoke_key=master_key(leaves["id"])) as other,
        ):
            await user.create_config()
            async with user.chat() as chat:
                await chat.send("hello")
                ids = await _ids_of_invocation(master, chat.session_id)
                asked = [
                    await _called(caller, visitor, id_, *ids)
                    for caller, visitor, id_ in (
                        (patient, agent, registered["id"]),
                        (other, leaving, leaves["id"]),
                    )
                ]
                mortals.postgres.stop()
                for visitor, invocation in zip((agent, leaving), asked, strict=True):
                    await visitor.say(log_frame("before", *ids))
                    await visitor.say(answer_to(invocation, "done"))
                await leaving.connection.close()  # who leaves waits for nothing
                await _until_answered(other)
                assert patient.heard == []
                mortals.postgres.start()
                await _until_answered(patient)
                sql = "SELECT message FROM logs WHERE agent_id = %s"
                assert select(system, sql, registered["id"]) == [{"message": "before"}]
                may_answer.set()
                await chat.receive_answer()


async def _ids_of_invocation(master: Master, session_id: str) -> tuple[str, str]:
    """Of that which belongs to this chat: others may be left of chats before."""

    def ids() -> list[tuple[str, str]]:
        ids = ((each.request_id, each.session_id) for each in master.invocations)
        return [each for each in ids if each[1] == session_id]

    await eventually(lambda: _is(bool(ids())), "the master agent is invoked")
    return ids()[0]


async def _called(caller: Visitor, agent: Visitor, agent_id: str, *ids: str) -> Json:
    """What the agent is called with."""
    await caller.say(call_frame(agent_id, *ids))
    return await agent.next_invocation()


async def _until_answered(caller: Visitor) -> None:
    await eventually(lambda: _is(bool(caller.heard)), "the call is answered")
    assert caller.heard[0]["response"] == "done"


async def test_the_newer_connection_of_an_agent_wins_while_redis_is_away(mortals: Mortals) -> None:
    system = mortals.system
    with _doors(system) as (first, second):
        async with register_user(system.gateway) as user:
            mortals.valkey.kill()
            async with agent_at(first, user) as (older, registered):
                shown = {"X_Custom_Authorization": registered["jwt"]}
                async with visiting(second, **shown) as newer, asyncio.timeout(AWAY_SECONDS):
                    await newer.say(REGISTER)
                    assert await older.end() == 1008
                    assert older.heard[0]["error"]["error_message"] == REPLACED
                    await until_active(user, registered["id"], is_active=True)
                    await asyncio.sleep(1)  # a round of looking
                    assert (await user.read_agent(registered["id"]))["is_active"]
                    assert newer.connection.close_code is None
            mortals.valkey.start()
            await _until_redis_is_heard(user)
