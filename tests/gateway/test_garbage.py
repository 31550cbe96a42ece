"""Nothing that the gateway does leaves anything that only the garbage collector would find."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devstack.processes import HOST, free_port, wait_until_ready
from tests.agui import make_input, running, say
from tests.gateway.files.uploading import upload
from tests.system import System, read_status
from tests.users import User, register_user


@pytest.fixture
def gateway(bare_system: System) -> str:
    """The URL of a gateway that tells of its garbage."""
    port = free_port()
    child = bare_system.start("gateway", "tests.gateway.probed", {"GATEWAY_PORT": str(port)})
    url = f"http://{HOST}:{port}"
    wait_until_ready(child, lambda: read_status(f"{url}/health") == 200)
    return url


async def chat(user: User) -> None:
    """Open two sockets, say something good and something bad, and leave without a word."""
    async with user.chat() as sender, user.chat(sender.session_id, after=0):
        await sender.send("Hello?", message_id=str(uuid4()))
        await sender.send_frame({"message": 5})
        assert (await sender.receive_text()).startswith("Message validation failed")
        sender.connection.transport.abort()


async def be_refused(user: User) -> None:
    """Open a socket with a dead token, call what is not there, and send what is malformed."""
    with suppress(InvalidStatus):
        async with connect(f"{user.socket_url}?token=dead"):
            pass
    assert (await user.http.get(f"/api/agents/{uuid4()}")).status_code == 400
    assert (await user.http.get("/nowhere")).status_code == 404
    assert (await user.http.post("/api/agents/register", json={})).status_code == 422


async def run_and_leave(user: User) -> None:
    """Have an agent run, and leave when that has begun."""
    async with running(user, make_input(say("Hello?"))) as stream:
        assert (await anext(stream))["type"] == "RUN_STARTED"


async def test_sockets_calls_and_files_leave_nothing_that_refers_to_itself(gateway: str) -> None:
    async with register_user(gateway) as user:

        async def work() -> None:
            await asyncio.gather(*(chat(user) for _ in range(5)), be_refused(user))
            await run_and_leave(user)
            await user.http.get("/api/chats")
            await user.http.get(f"/files/{await upload(user.http)}")

        await work()  # what is made only once may leave something
        await user.http.get("/garbage")
        await work()
        assert (await user.http.get("/garbage")).json() == []
