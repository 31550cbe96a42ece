"""How many sockets and waiting messages a user may have, and which pages may open sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.agent_bridge.stored import execute, select
from tests.end_to_end.socket.front_end import ACCEPTED, close_code
from tests.system import Stores, System
from tests.users import User, eventually, register_user

MOST_SOCKETS, MOST_OPEN = 3, 2
WELCOME = "https://chat.example"


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A gateway with low bounds and one welcome origin; no bridge, so that requests wait."""
    with stores.system(
        SOCKETS_PER_USER=str(MOST_SOCKETS),
        OPEN_REQUESTS_PER_USER=str(MOST_OPEN),
        BACKEND_CORS_ORIGINS=json.dumps([f"{WELCOME}/"]),
    ) as system:
        system.start_gateway()
        yield system


@pytest.fixture(scope="module")
async def user(own_system: System) -> AsyncIterator[User]:
    async with register_user(own_system.gateway) as user:
        yield user


@pytest.fixture
def idle(own_system: System, user: User) -> None:
    """Nothing of the user's waits."""
    execute(own_system, "DELETE FROM requests WHERE creator_id = %s", user.id)


async def is_accepted(user: User) -> bool:
    async with user.chat() as chat:
        try:
            async with asyncio.timeout(0.2):
                await chat.connection.wait_closed()
        except TimeoutError:
            return True
    return False


@asynccontextmanager
async def full_user(system: System) -> AsyncIterator[User]:
    """Somebody new with as many sockets as one may have."""
    async with register_user(system.gateway) as user, AsyncExitStack() as stack:
        for _ in range(MOST_SOCKETS):
            await stack.enter_async_context(user.chat())
        yield user
        await stack.aclose()


async def test_one_socket_too_many_is_accepted_then_closed(own_system: System) -> None:
    async with full_user(own_system) as user:
        assert await close_code(user, token=user.token) == (1013, [])


async def test_another_user_has_sockets_of_its_own(own_system: System, user: User) -> None:
    async with full_user(own_system):
        assert await is_accepted(user)


async def test_a_socket_that_is_closed_makes_room(own_system: System) -> None:
    async with full_user(own_system) as user:
        pass

    async def has_room() -> bool:
        return await is_accepted(user)

    await eventually(has_room, "there is room")


@pytest.mark.usefixtures("idle")
async def test_one_message_too_many_is_refused_and_stored_nowhere(
    own_system: System, user: User
) -> None:
    async with user.chat() as chat, user.chat() as other:
        for number in range(MOST_OPEN):
            await chat.send(f"message {number}")
        await wait_for_requests(own_system, user, MOST_OPEN)
        await other.send("one too many")
        frame = await other.receive()
    assert frame["type"] == "agent_response"
    assert frame["response"]["is_success"] is False
    assert "too many" in frame["response"]["response"]["response"]
    assert (await user.http.get(f"/api/chat?session_id={other.session_id}")).json()["items"] == []
    chats = (await user.http.get("/api/chats")).json()["chats"]
    assert other.session_id not in [each["session_id"] for each in chats]


@pytest.mark.usefixtures("idle")
async def test_in_the_second_protocol_that_is_told_of_the_message(
    own_system: System, user: User
) -> None:
    message_id = str(uuid4())
    async with user.chat(protocol=2) as chat:
        for number in range(MOST_OPEN):
            await chat.send(f"message {number}")
            assert (await chat.receive())["type"] == "accepted"
        await chat.send("one too many", message_id=message_id)
        frame = await chat.receive()
    assert (frame["type"], frame["code"]) == ("error", "too_many_open")
    assert (frame["message_id"], frame["details"]) == (message_id, [])


@pytest.mark.usefixtures("idle")
async def test_a_request_that_ended_makes_room(own_system: System, user: User) -> None:
    async with user.chat() as chat:
        for number in range(MOST_OPEN):
            await chat.send(f"message {number}")
        await wait_for_requests(own_system, user, MOST_OPEN)
        execute(own_system, "DELETE FROM requests WHERE creator_id = %s", user.id)
        await chat.send("there is room")
        await wait_for_requests(own_system, user, 1)


@pytest.mark.usefixtures("idle")
async def test_another_user_s_messages_are_not_counted(own_system: System, user: User) -> None:
    async with (
        register_user(own_system.gateway) as other,
        other.chat() as full,
        user.chat() as chat,
    ):
        for number in range(MOST_OPEN):
            await full.send(f"message {number}")
        await wait_for_requests(own_system, other, MOST_OPEN)
        await chat.send("mine")
        await wait_for_requests(own_system, user, 1)


async def wait_for_requests(system: System, user: User, count: int) -> None:
    async def stored() -> bool:
        sql = "SELECT id FROM requests WHERE creator_id = %s"
        return len(select(system, sql, user.id)) == count

    await eventually(stored, f"{count} requests are stored")


async def status_from(user: User, origin: str | None, token: str | None = None) -> int:
    """The status of a handshake by a page of this origin."""
    url = f"{user.socket_url}?{urlencode({'token': user.token if token is None else token})}"
    headers = {} if origin is None else {"Origin": origin}
    try:
        async with connect(url, compression=None, additional_headers=headers):
            return ACCEPTED
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_page_of_a_welcome_origin_gets_a_socket(user: User) -> None:
    assert await status_from(user, WELCOME) == ACCEPTED
    answer = await user.http.get("/api/chats", headers={"Origin": WELCOME})
    assert answer.headers["access-control-allow-origin"] == WELCOME


async def test_a_page_from_here_gets_a_socket(own_system: System, user: User) -> None:
    assert await status_from(user, own_system.gateway) == ACCEPTED


async def test_a_program_gets_a_socket(user: User) -> None:
    assert await status_from(user, None) == ACCEPTED


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", f"{WELCOME}.evil.example", f"{WELCOME}:8443", "http://[x"],
)
async def test_a_page_of_another_origin_is_refused(user: User, origin: str) -> None:
    assert await status_from(user, origin) == 403


async def test_every_origin_is_welcome_by_default(system: System) -> None:
    async with register_user(system.gateway) as user:
        assert await status_from(user, "https://anywhere.example") == ACCEPTED
