"""Processes whose clocks are wrong by more than a request may take: only PostgreSQL's counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic, time

import pytest

from tests.agent_bridge.actors import abandoned, wait_for_ever
from tests.agent_bridge.stored import select
from tests.faults.altered import STRANGE
from tests.gateway.shapes import good
from tests.master import AgentError, Invocation, Master, answer, run_master
from tests.system import System
from tests.users import Json, User, connect_to, register_user

TIMEOUT = 2.0
SLACK_SECONDS = 5.0  # of a machine with other work
CLOCKS = {
    "gateway behind": (["clock_behind"], []),
    "gateway ahead": (["clock_ahead"], []),
    "bridge behind": ([], ["clock_behind"]),
    "bridge ahead": ([], ["clock_ahead"]),
    "both, apart": (["clock_behind"], ["clock_ahead"]),
}


@pytest.fixture(scope="module", params=CLOCKS)
def strange(module_system: System, request: pytest.FixtureRequest) -> System:
    """A gateway that gives requests the usual time, one that gives them little, and a bridge."""
    of_gateway, of_bridge = CLOCKS[request.param]
    for child in module_system.children.values():
        if child.name != "router" and not child.has_ended:
            child.kill()
    module_system.start_gateway(*of_gateway)
    module_system.start_gateway(*of_gateway, REQUEST_TIMEOUT=str(TIMEOUT))
    module_system.start_bridge(*of_bridge)
    return module_system


@pytest.fixture
async def stranger(strange: System) -> AsyncIterator[User]:
    """A user of the first of the gateways."""
    async with register_user(strange.gateways[-2]) as user:
        await user.create_config()
        yield user


@pytest.fixture
async def hasty(strange: System, stranger: User) -> AsyncIterator[User]:
    """The same at the other."""
    async with connect_to(strange.gateways[-1], **dict(stranger.http.headers)) as http:
        yield User(http, stranger.id, stranger.name, stranger.token)


@pytest.fixture
async def master(strange: System) -> AsyncIterator[Master]:
    """A master agent that knows the true time."""
    async with run_master(strange.router_url) as master:
        yield master


def _is_now(shown: str) -> bool:
    """Whether a time of the API is the true one, or nearly."""
    passed = time() - datetime.fromisoformat(shown).replace(tzinfo=UTC).timestamp()
    return abs(passed) < STRANGE.total_seconds() / 2


async def test_messages_are_answered_in_order_and_at_true_times(
    strange: System, stranger: User, master: Master
) -> None:
    async with stranger.chat() as chat:
        for text in ("one", "two"):
            assert (await chat.ask(text))["response"]["response"] == answer(f"echo: {text}")
    history = await stranger.history(chat.session_id)
    times = [each["created_at"] for each in history]
    assert [each["sender_type"] for each in history] == ["user", "master_agent"] * 2
    assert times == sorted(times)
    assert all(map(_is_now, times))
    given = select(
        strange,
        "SELECT extract(epoch FROM deadline - created_at)::int AS seconds FROM requests"
        " WHERE session_id = %s",
        chat.session_id,
    )
    assert given == [{"seconds": 600}] * 2


async def test_a_request_is_waited_for_as_long_as_it_may_take(hasty: User, master: Master) -> None:
    master.behave = wait_for_ever
    with abandoned(master):
        async with hasty.chat() as chat:
            began = monotonic()
            frame = await chat.ask("hello")
    assert "in time" in frame["error"]
    assert TIMEOUT - 0.1 < monotonic() - began < TIMEOUT + SLACK_SECONDS


async def test_tokens_of_one_gateway_are_good_at_the_others(
    strange: System, stranger: User
) -> None:
    async with register_user(strange.gateways[-1]) as user:
        for gateway in strange.gateways[-2:]:
            headers = {"Authorization": f"Bearer {user.token}"}
            async with connect_to(gateway, **headers) as http:
                assert good(await http.get("/api/chats")) == {"chats": []}
    assert good(await stranger.http.get("/api/chats")) == {"chats": []}


async def _lookup(invocation: Invocation) -> Json:
    if "timestamp" not in invocation.payload:
        raise AgentError("lookup() got an unexpected keyword argument 'message'")
    return answer(str(invocation.payload["timestamp"]))


async def test_the_master_agent_is_told_the_true_time(stranger: User, master: Master) -> None:
    master.behave = _lookup
    async with stranger.chat() as chat:
        told = (await chat.ask("what time is it?"))["response"]["response"]["response"]
    assert abs(time() - int(told)) < STRANGE.total_seconds() / 2
