"""Nothing that the gateway does leaves anything that only the garbage collector would find."""

import asyncio
import json
from contextlib import suppress
from uuid import uuid4

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devstack.processes import HOST, free_port, wait_until_ready
from tests.a2a import VERSION, post_rpc, publish_assistant
from tests.agui import make_input, running, say
from tests.gateway.files.uploading import upload
from tests.system import System, read_status
from tests.users import Json, User, eventually, register_user

HASTY = httpx2.Timeout(30, read=0.2)
"""Who has asked does not wait for the answer."""


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


async def complete(user: User, *, stream: bool) -> None:
    """Ask as clients of OpenAI's API do: leave, fail, and ask for what is not there."""
    path, session_id = "/v1/chat/completions", str(uuid4())
    body: Json = {"model": "config", "messages": [{"role": "user", "content": "Hello?"}]}
    given = {**body, "stream": stream}
    with suppress(httpx2.ReadTimeout):  # nobody answers
        await user.http.post(path, json=given, timeout=HASTY)
    assert (await user.http.post(path, json={**body, "model": "other"})).status_code == 404
    assert (await user.http.post(path, json={**body, "n": 2})).status_code == 400
    in_session = {**given, "metadata": {"session_id": session_id}}
    asking = asyncio.create_task(user.http.post(path, json=in_session))
    open_ones: list[Json] = []

    async def is_stored() -> bool:
        query = {"session_id": session_id}
        open_ones[:] = (await user.http.get("/api/requests", params=query)).json()
        return len(open_ones) == 1

    await eventually(is_stored, "it is stored")
    await user.http.post(f"/api/requests/{open_ones[0]['request_id']}/cancel")
    assert (await asking).status_code == (200 if stream else 502)


async def test_answers_of_openais_api_leave_nothing_either(gateway: str) -> None:
    async with register_user(gateway) as user:
        await user.create_config()

        async def work() -> None:
            await asyncio.gather(complete(user, stream=True), complete(user, stream=False))

        await work()
        await user.http.get("/garbage")
        await work()
        assert (await user.http.get("/garbage")).json() == []


async def call(user: User, url: str) -> None:
    """Call what is published: leave, be refused, cancel, and come back."""
    message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": "Hello?"}]}
    async with user.http.stream(
        "POST", f"{url}/message:stream", json={"message": message}, headers=VERSION
    ) as response:
        first = await anext(response.aiter_lines())
    task = json.loads(first.removeprefix("data: "))["task"]["id"]
    with suppress(httpx2.ReadTimeout):  # nobody answers
        path = f"{url}/message:send"
        await user.http.post(path, json={"message": message}, headers=VERSION, timeout=HASTY)
    subscribed = f"{url}/tasks/{task}:subscribe"
    async with user.http.stream("POST", subscribed, headers=VERSION) as response:
        await post_rpc(user, url, "CancelTask", {"id": task})
        assert [line async for line in response.aiter_lines() if line.startswith("data: ")]
    assert "error" in await post_rpc(user, url, "SendMessage", {})
    assert (await user.http.get(f"{url}/tasks", headers=VERSION)).status_code == 200
    assert (await user.http.post(f"{url}x", json={})).status_code == 404


async def test_calls_of_what_is_published_leave_nothing_either(gateway: str) -> None:
    async with register_user(gateway) as user:
        await user.create_config()
        url = await publish_assistant(user)
        await call(user, url)
        await user.http.get("/garbage")
        await call(user, url)
        assert (await user.http.get("/garbage")).json() == []


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
