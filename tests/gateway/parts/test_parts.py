"""What administrators are told of an installation's processes, stores and queue."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import attrs
import pytest

from shared import VERSION
from tests.faults.mortal import hold_valkey
from tests.master import Invocation, answer, run_master
from tests.sql import Sql, run_sql
from tests.system import Stores, System
from tests.users import Json, User, eventually, insert_user

PATH = "/api/parts"


@pytest.fixture(scope="module")
def parts(stores: Stores) -> Iterator[System]:
    """Two gateways and two bridges."""
    with stores.system() as system:
        system.start_router()
        for _ in range(2):
            system.start_gateway()
            system.start_door()
        yield system


@pytest.fixture(scope="module")
def parts_sql(parts: System) -> Iterator[Sql]:
    with run_sql(parts.settings) as sql:
        yield sql


@asynccontextmanager
async def insert_administrator(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
        yield user


@pytest.fixture
async def administrator(parts: System, parts_sql: Sql) -> AsyncIterator[User]:
    async with insert_administrator(parts, parts_sql) as user:
        yield user


async def read(user: User) -> Json:
    answer = await user.http.get(PATH)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def has(user: User, gateways: int, bridges: int, silent: int = 0) -> bool:
    told = await read(user)
    services = [each["service"] for each in told["processes"]]
    found = services.count("gateway"), services.count("agent_bridge"), len(told["silent"])
    return found == (gateways, bridges, silent)


async def test_each_process_tells_how_it_is(parts: System, administrator: User) -> None:
    await eventually(partial(has, administrator, 2, 2), "all four answer")
    told = await read(administrator)
    assert told["hears_others"] is True
    addresses = {each["address"] for each in told["processes"]}
    assert addresses == {url.removeprefix("http://") for url in (*parts.gateways, *parts.bridges)}
    for each in told["processes"]:
        assert (each["version"], each["is_draining"]) == (VERSION, False)
        assert each["gauges"]["notifications_up"] == 1
        assert each["gauges"]["database_connections_most"] > 0
        lag = each["distributions"]["loop_lag_seconds"]
        assert sum(lag["counts"]) > 0
        assert len(lag["counts"]) == len(lag["bounds"]) + 1
    assert told["gateway_id"] in {each["id"] for each in told["processes"]}


async def test_it_is_told_who_has_the_router_session_and_which_doors_there_are(
    parts: System, administrator: User
) -> None:
    async def is_held() -> bool:
        return bool((leader := (await read(administrator))["router_session"]) and leader["is_held"])

    await eventually(is_held, "a bridge leads")
    await eventually(partial(has, administrator, 2, 2), "all four answer")
    told = await read(administrator)
    bridges = {each["id"]: each for each in told["processes"] if each["service"] == "agent_bridge"}
    holder = told["router_session"]["holder"]
    assert {id_: one["gauges"]["router_session_held"] for id_, one in bridges.items()} == {
        id_: float(id_ == holder) for id_ in bridges
    }
    assert {each["bridge_id"] for each in told["doors"] if each["is_open"]} == bridges.keys()


async def test_it_is_told_how_the_stores_are(administrator: User, parts_sql: Sql) -> None:
    stores = {each["name"]: each for each in (await read(administrator))["stores"]}
    assert stores.keys() == {"postgresql", "redis", "files"}
    assert all(each["is_up"] and each["why"] is None for each in stores.values())
    [said] = parts_sql("SHOW server_version")
    assert stores["postgresql"]["version"] == said["server_version"].split()[0]
    assert stores["redis"]["version"].startswith("Valkey ")
    assert (stores["redis"]["kind"], stores["files"]["kind"]) == ("a server", "a folder")


async def test_a_chat_shows_in_the_queue_and_in_counters(
    parts: System, administrator: User
) -> None:
    async def answered() -> float:
        processes = (await read(administrator))["processes"]
        return sum(float(each["counters"]["requests_ended.answered"]) for each in processes)

    async def delivered() -> int:
        found = [
            each["distributions"].get("request_delivery_seconds", {"counts": []})["counts"]
            for each in (await read(administrator))["processes"]
        ]
        return sum(map(sum, found))

    async def runs() -> bool:
        told = await read(administrator)
        return (told["queue"]["running"], sum(told["queue"]["running_at"].values())) == (1, 1)

    before = await answered(), await delivered()
    gate = asyncio.Event()

    async def wait(invocation: Invocation) -> Json:
        await gate.wait()
        return answer("done")

    async with (
        run_master(parts.router_url, wait, door_url=parts.agents_url),
        administrator.chat() as chat,
    ):
        await chat.send("Hello")
        await eventually(runs, "it runs at one of the bridges")
        gate.set()
        await chat.receive_answer()

        async def is_counted() -> bool:
            return (await answered(), await delivered()) == (before[0] + 1, before[1] + 1)

        await eventually(is_counted, "it is counted once")


async def test_many_who_ask_at_once_are_told_the_same(administrator: User) -> None:
    told = await asyncio.gather(*(read(administrator) for _ in range(5)))
    assert len({each["at"] for each in told}) == 1


async def test_a_round_is_a_second_after_the_one_before(administrator: User) -> None:
    times = [datetime.fromisoformat((await read(administrator))["at"]) for _ in range(50)]
    different = sorted(set(times))
    assert all((b - a).total_seconds() >= 0.99 for a, b in itertools.pairwise(different))


async def test_who_was_killed_is_told_as_silent(parts: System, administrator: User) -> None:
    started = parts.start_bridge()
    await eventually(partial(has, administrator, 2, 3), "it answers")
    started.kill()
    await eventually(partial(has, administrator, 2, 2, 1), "it is missed")


async def test_without_redis_one_gateway_tells_of_itself_and_says_so(stores: Stores) -> None:
    with hold_valkey() as valkey:
        at_first = attrs.evolve(stores, valkey=valkey.start())
        with at_first.system() as system, run_sql(system.settings) as sql:
            system.start_router()
            system.start_gateway()
            system.start_bridge()
            async with insert_administrator(system, sql) as user:
                await eventually(partial(has, user, 1, 1), "both answer")
                valkey.kill()

                async def is_noticed() -> bool:
                    return not (await read(user))["hears_others"]

                await eventually(is_noticed, "nobody is heard")
                told = await read(user)
    assert [each["service"] for each in told["processes"]] == ["gateway"]
    assert told["silent"] == []
    stores_up = {each["name"]: each["is_up"] for each in told["stores"]}
    assert stores_up == {"postgresql": True, "redis": False, "files": True}
    assert told["queue"]["waiting"] == 0
