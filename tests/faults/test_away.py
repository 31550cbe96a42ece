"""PostgreSQL or Redis goes away under open sockets, and comes back."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from attrs import frozen

from devstack.postgres import PostgresServer
from devstack.processes import free_port
from devstack.valkey import ValkeyServer
from shared.upgrade.migrate import migrate
from tests.agent_bridge.actors import until_invoked
from tests.end_to_end.socket.front_end import RESPONSE_KEYS, close_code
from tests.faults.mortal import Mortal, hold_postgres, hold_valkey
from tests.faults.test_lost_notifications import MESSAGES, assert_chat_goes_on, log_and_echo
from tests.master import Invocation, answer, run_master
from tests.system import System, create_database, make_environment, run_system, url_of
from tests.users import User, eventually, register_user

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
