"""Lanes at a router: whose answer is whose, and which lane can still be trusted."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect

from agent_bridge.router import lanes as lanes_module
from agent_bridge.router.frames import MASTER_SERVER_ML, Rejection, Reply
from agent_bridge.router.lanes import Lane, LaneLostError, Lanes, RouterAwayError
from devstack.processes import free_port
from devstack.router import start_router
from devstack.routing import Keys
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.actors import ANSWER_SECONDS
from tests.system import BE_KEY, ML_KEY, make_secrets
from tests.users import eventually

type Frame = dict[str, Any]

OWNER = UUID(int=1)


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    """Those of a bridge at a router of the test's own."""
    port = free_port()
    made = read_settings(
        {
            "ROUTER_WS_URL": f"ws://127.0.0.1:{port}/ws",
            "ROUTER_MAX_FRAME_BYTES": "100000",
            **make_secrets(),
        },
        Settings,
    )
    async with await start_router(Keys(BE_KEY, ML_KEY), port):
        yield made


@pytest.fixture
async def lanes(settings: Settings) -> AsyncIterator[Lanes]:
    lanes = Lanes(settings)
    yield lanes
    await lanes.close()


@pytest.fixture
async def master_socket(settings: Settings) -> AsyncIterator[ClientConnection]:
    async with _connected(settings, {"API-KEY": ML_KEY}) as connection:
        yield connection


@pytest.fixture
async def session_socket(settings: Settings) -> AsyncIterator[ClientConnection]:
    """The connection of whoever holds the router session."""
    async with _connected(settings, {"API-KEY": BE_KEY}) as connection:
        yield connection


@asynccontextmanager
async def _connected(
    settings: Settings, headers: dict[str, str]
) -> AsyncIterator[ClientConnection]:
    async with connect(settings.router_ws_url, additional_headers=headers) as connection:
        yield connection


async def _receive(connection: ClientConnection) -> Frame:
    async with asyncio.timeout(ANSWER_SECONDS):
        frame: Frame = json.loads(await connection.recv())
    return frame


async def _reply(connection: ClientConnection, invoked_by: str, **content: Any) -> None:
    await connection.send(json.dumps({**content, "invoked_by": invoked_by}))


async def _answer(connection: ClientConnection, response: object) -> str:
    """Answer what comes next and return the key of who asked."""
    key: str = (await _receive(connection))["invoked_by"]
    await _reply(connection, key, message_type="agent_response", response=response)
    return key


async def _ask(lane: Lane, text: str = "hello") -> Reply | Rejection:
    async with asyncio.timeout(ANSWER_SECONDS):
        return await lane.invoke(MASTER_SERVER_ML, {"message": text}, "r", "s")


async def _ask_and_answer(lane: Lane, connection: ClientConnection, response: object) -> str:
    asking = asyncio.create_task(_ask(lane))
    key = await _answer(connection, response)
    assert await asking == Reply(response, 0.0)
    return key


async def _until_unclean(lane: Lane) -> None:
    async def holds() -> bool:
        return not lane.is_clean

    await eventually(holds, "the lane is closed")


async def test_an_answer_comes_back_on_the_lane_that_asked(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as lane:
        await _ask_and_answer(lane, master_socket, {"any": "thing"})


async def test_a_lane_is_used_again_after_an_answer(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as first:
        first_key = await _ask_and_answer(first, master_socket, 1)
    async with lanes.lend(OWNER) as second:
        second_key = await _ask_and_answer(second, master_socket, 2)
    assert second is first
    assert second_key == first_key


async def test_lanes_lent_at_the_same_time_have_keys_of_their_own(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as one, lanes.lend(OWNER) as other:
        keys = [await _ask_and_answer(lane, master_socket, 0) for lane in (one, other)]
    assert len(set(keys)) == 2
    assert all(key.startswith(f"{BE_KEY}:master_server_ml:") for key in keys)


async def test_answers_that_come_in_the_other_order_are_not_swapped(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as one, lanes.lend(OWNER) as other:
        asking = [asyncio.create_task(_ask(one, "1")), asyncio.create_task(_ask(other, "2"))]
        frames = [await _receive(master_socket) for _ in range(2)]
        for frame in reversed(frames):
            text = frame["request_payload"]["message"]
            key = frame["invoked_by"]
            await _reply(master_socket, key, message_type="agent_response", response=text)
        assert [await task for task in asking] == [Reply("1", 0.0), Reply("2", 0.0)]


async def test_an_error_of_the_agent_is_a_rejection(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as lane:
        asking = asyncio.create_task(_ask(lane))
        key = (await _receive(master_socket))["invoked_by"]
        error = {"error_message": "no"}
        await _reply(master_socket, key, message_type="agent_error", error=error)
        assert await asking == Rejection("no", 0.0)


async def test_a_lane_is_not_used_again_after_a_rejection(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as first:
        asking = asyncio.create_task(_ask(first))
        key = (await _receive(master_socket))["invoked_by"]
        await _reply(master_socket, key, message_type="agent_error", error={"error_message": "no"})
        await asking
    async with lanes.lend(OWNER) as second:
        assert second is not first


async def test_an_agent_that_is_not_connected_is_a_rejection_at_once(lanes: Lanes) -> None:
    async with lanes.lend(OWNER) as lane:
        assert await _ask(lane) == Rejection("Agent is NOT active", 0.0)


async def test_the_departure_of_the_invoked_agent_ends_the_wait(
    lanes: Lanes, settings: Settings
) -> None:
    async with lanes.lend(OWNER) as lane:
        async with _connected(settings, {"API-KEY": ML_KEY}) as master_socket:
            asking = asyncio.create_task(_ask(lane))
            await _receive(master_socket)
        assert await asking == Rejection("Agent has been unregistered", 0.0)


async def test_the_departure_of_another_identity_ends_nothing(
    lanes: Lanes, settings: Settings, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as lane:
        asking = asyncio.create_task(_ask(lane))
        key = (await _receive(master_socket))["invoked_by"]
        async with _connected(settings, {"API-KEY": BE_KEY}):
            pass  # its end is told to every key that has `master_server_be` in it
        async with _connected(settings, {"x-custom-invoke-key": key[-36:]}):
            pass  # as is the end of any other part of the key
        await _reply(master_socket, key, message_type="agent_response", response="still")
        assert await asking == Reply("still", 0.0)


async def test_a_lane_that_hears_something_while_idle_is_closed_and_not_lent_again(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as first:
        key = await _ask_and_answer(first, master_socket, 1)
    await _reply(master_socket, key, message_type="agent_response", response="once more")
    await _until_unclean(first)
    async with lanes.lend(OWNER) as second:
        assert second is not first
        assert await _ask_and_answer(second, master_socket, 2) != key


async def test_a_second_answer_in_the_same_breath_is_nobodys(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as first:
        asking = asyncio.create_task(_ask(first))
        key = (await _receive(master_socket))["invoked_by"]
        for response in ("right", "forged"):
            await _reply(master_socket, key, message_type="agent_response", response=response)
        assert await asking == Reply("right", 0.0)
    await asyncio.wait_for(first._reading, ANSWER_SECONDS)
    async with lanes.lend(OWNER) as second:
        await _ask_and_answer(second, master_socket, "next")


async def test_a_lane_is_not_used_again_after_a_timeout(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    with pytest.raises(TimeoutError):
        async with lanes.lend(OWNER) as first, asyncio.timeout(0.05):
            await first.invoke(MASTER_SERVER_ML, {})
    late = (await _receive(master_socket))["invoked_by"]
    async with lanes.lend(OWNER) as second:
        asking = asyncio.create_task(_ask(second))
        frame = await _receive(master_socket)
        await _reply(master_socket, late, message_type="agent_response", response="late")
        await _reply(
            master_socket, frame["invoked_by"], message_type="agent_response", response="mine"
        )
        assert await asking == Reply("mine", 0.0)
    assert frame["invoked_by"] != late


async def test_a_lane_is_not_used_again_after_a_cancel(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async def ask() -> None:
        async with lanes.lend(OWNER) as lane:
            await _ask(lane)

    asking = asyncio.create_task(ask())
    key = (await _receive(master_socket))["invoked_by"]
    asking.cancel()
    await asyncio.wait({asking})
    async with lanes.lend(OWNER) as lane:
        assert await _ask_and_answer(lane, master_socket, 1) != key


async def test_a_lane_is_not_used_again_after_an_error_of_its_borrower(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as first:
        await first.close()
        with pytest.raises(LaneLostError):
            await _ask(first)
    async with lanes.lend(OWNER) as second:
        assert second is not first
        await _ask_and_answer(second, master_socket, 1)


async def test_a_frame_that_cannot_be_understood_ends_the_wait(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as lane:
        asking = asyncio.create_task(_ask(lane))
        key = (await _receive(master_socket))["invoked_by"]
        await _reply(master_socket, key, message_type="agent_response")
        with pytest.raises(LaneLostError):
            await asking


async def test_an_answer_over_the_limit_ends_the_wait(
    lanes: Lanes, master_socket: ClientConnection
) -> None:
    async with lanes.lend(OWNER) as lane:
        with pytest.raises(LaneLostError):
            await _ask_and_answer(lane, master_socket, "x" * 200_000)


async def _send_back(connection: ClientConnection) -> str:
    """Send the next flush marker back and return the key of its lane."""
    frame = await _receive(connection)
    await _reply(connection, frame["invoked_by"], **_echo(frame))
    return str(frame["invoked_by"])


def _echo(frame: Frame) -> Frame:
    marker = frame["request_payload"]["fence"]
    return {"message_type": "agent_response", "response": marker, "execution_time": 0}


async def test_who_comes_while_a_flush_marker_is_on_its_way_waits_for_the_next_one(
    lanes: Lanes, session_socket: ClientConnection
) -> None:
    first = asyncio.create_task(lanes.flush(uuid4()))
    frame = await _receive(session_socket)
    others = [asyncio.create_task(lanes.flush(uuid4())) for _ in range(5)]
    await _reply(session_socket, frame["invoked_by"], **_echo(frame))
    await first
    assert not any(other.done() for other in others)
    assert await _send_back(session_socket) == frame["invoked_by"]
    await asyncio.gather(*others)


async def test_a_flush_marker_that_its_own_bridge_has_heard_needs_no_echo(
    lanes: Lanes, session_socket: ClientConnection
) -> None:
    for _ in range(2):
        flushing = asyncio.create_task(lanes.flush(uuid4()))
        frame = await _receive(session_socket)
        assert not lanes.pass_marker(str(uuid4()))
        assert not flushing.done()
        assert lanes.pass_marker(frame["request_payload"]["fence"])
        await flushing
    last = asyncio.create_task(lanes.flush(uuid4()))
    assert await _send_back(session_socket) == frame["invoked_by"]
    await last


async def test_a_flush_marker_that_does_not_come_back_is_not_waited_for_long(
    lanes: Lanes, session_socket: ClientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "FLUSH_SECONDS", 0.05)
    await lanes.flush(uuid4())
    monkeypatch.undo()
    lost = (await _receive(session_socket))["invoked_by"]
    next_one = asyncio.create_task(lanes.flush(uuid4()))
    assert await _send_back(session_socket) != lost
    await next_one


async def test_where_nobody_holds_the_session_no_flush_marker_is_waited_for(lanes: Lanes) -> None:
    async with asyncio.timeout(lanes_module.FLUSH_SECONDS / 2):
        await lanes.flush(uuid4())
        await lanes.flush(uuid4())


async def test_without_a_router_no_lane_is_lent() -> None:
    url = f"ws://127.0.0.1:{free_port()}/ws"
    nowhere = read_settings({**make_secrets(), "ROUTER_WS_URL": url}, Settings)
    with pytest.raises(RouterAwayError):
        async with Lanes(nowhere).lend(OWNER):
            pass
