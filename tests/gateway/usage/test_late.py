"""Answers that come when their request was cancelled or out of time: what they used counts."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from attrs import frozen

from gateway.requests.cancellation import CANCELLED
from tests.agent_bridge.actors import until_invoked
from tests.gateway.shapes import good
from tests.gateway.usage.spending import PRICE, USED, report, used_of
from tests.master import Invocation, Master, answer, run_master
from tests.system import Stores, System
from tests.users import Json, User, eventually, register_user

TIMEOUT_SECONDS = 3


@frozen
class Way:
    """To the master agent: through the router, or at a door."""

    system: System
    master: Master


@pytest.fixture(scope="module", params=["router", "door"])
def own_system(request: pytest.FixtureRequest, stores: Stores) -> Iterator[System]:
    """Whose requests have little time."""
    with stores.system(REQUEST_TIMEOUT=str(TIMEOUT_SECONDS)) as system:
        system.start_router()
        system.start_gateway()
        if request.param == "door":
            system.start_door()
        else:
            system.start_bridge()
        yield system


@pytest.fixture
async def way(own_system: System) -> AsyncIterator[Way]:
    door = own_system.doors[0] if own_system.doors else ""
    async with run_master(own_system.router_url, door_url=door) as master:
        yield Way(own_system, master)


@pytest.fixture
async def own_user(own_system: System) -> AsyncIterator[User]:
    async with register_user(own_system.gateway) as user:
        await user.create_config()
        yield user


@pytest.mark.parametrize("status", ["cancelled", "timed_out"])
async def test_what_a_late_answer_has_used_counts_and_is_no_answer(
    status: str, way: Way, own_user: User
) -> None:
    released = asyncio.Event()

    async def behave(_: Invocation) -> Json:
        await released.wait()
        return {**answer("too late"), "usage": USED}

    way.master.behave = behave
    async with own_user.chat() as chat:
        await chat.send("hello")
        await until_invoked(way.master)
        id_ = way.master.invocations[0].request_id
        if status == "cancelled":
            told = good(await own_user.http.post(f"/api/requests/{id_}/cancel"))
            assert told["error"] == CANCELLED
        assert (await chat.receive_answer())["response"]["is_success"] is False
    assert (await report(own_user))["total"]["requests"] == 0
    released.set()

    async def is_counted() -> bool:
        return bool(await used_of(own_user, id_))

    await eventually(is_counted, "the late answer is counted")
    told = await report(own_user)
    assert (told["total"]["requests"], told["total"]["price"]) == (1, PRICE)
    request = good(await own_user.http.get(f"/api/requests/{id_}"))
    assert request["status"] == status
    [_, failed] = await own_user.history(chat.session_id)
    assert "too late" not in str(failed)
    way.master.behave = _say_at_once
    async with own_user.chat(chat.session_id) as chat:
        frame = await chat.ask("again")
    assert frame["response"]["response"]["response"] == "at once"


async def _say_at_once(_: Invocation) -> Json:
    return answer("at once")


async def test_a_late_answer_that_says_nothing_of_it_counts_nothing(
    way: Way, own_user: User
) -> None:
    released, ended = asyncio.Event(), asyncio.Event()

    async def behave(_: Invocation) -> Json:
        await released.wait()
        ended.set()
        return answer("too late")

    way.master.behave = behave
    async with own_user.chat() as chat:
        await chat.send("hello")
        await until_invoked(way.master)
        id_ = way.master.invocations[0].request_id
        good(await own_user.http.post(f"/api/requests/{id_}/cancel"))
        released.set()
        await ended.wait()
        way.master.behave = _say_at_once
        await chat.receive_answer()
        await chat.ask("again")
    assert await used_of(own_user, id_) == []
    assert (await report(own_user))["days"] == []
