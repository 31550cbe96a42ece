"""A task goes on when its client leaves, or its gateway does; any gateway tells of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from devstack.processes import Child
from gateway.streams.sse import RESTARTING
from tests.a2a import VERSION, post_rpc, publish_assistant
from tests.agent_bridge.actors import until_invoked
from tests.master import Behaviour, Invocation, Master, answer
from tests.system import System
from tests.users import FRAME_SECONDS, Json, User

DRAIN_SECONDS = "1"


@pytest.fixture
async def leaving(system: System) -> AsyncIterator[Child]:
    """A gateway, the last of the system, that a test tells to go down."""
    child = system.start_gateway(DRAIN_GRACE="0", DRAIN_TIMEOUT=DRAIN_SECONDS)
    yield child
    child.kill()
    system.gateways.pop()


def message(**others: Any) -> Json:
    parts = [{"text": "What is the time?"}]
    return {"message": {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": parts, **others}}


def waiting(released: asyncio.Event) -> Behaviour:
    async def behave(invocation: Invocation) -> Json:
        await invocation.log("It is ", "delta")
        await released.wait()
        return answer("It is noon.")

    return behave


async def read(response: httpx2.Response) -> AsyncIterator[Json]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def until_ended(user: User, url: str, id_: str) -> Json:
    async with asyncio.timeout(FRAME_SECONDS):
        while True:
            task: Json = (await post_rpc(user, url, "GetTask", {"id": id_}))["result"]
            if task["status"]["state"] not in {"TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"}:
                return task
            await asyncio.sleep(0.02)


async def test_who_leaves_a_stream_cancels_nothing_and_comes_back(
    user: User, master: Master
) -> None:
    released = asyncio.Event()
    master.behave = waiting(released)
    url = await publish_assistant(user)
    stream = f"{url}/message:stream"
    async with user.http.stream("POST", stream, json=message(), headers=VERSION) as response:
        task = (await anext(read(response)))["task"]
        await until_invoked(master)
    subscribed = f"{url}/tasks/{task['id']}:subscribe"
    async with user.http.stream("POST", subscribed, headers=VERSION) as response:
        events = read(response)
        assert (await anext(events))["task"]["id"] == task["id"]
        released.set()
        told = [event async for event in events]
    pieces = [each["artifactUpdate"] for each in told if "artifactUpdate" in each]
    texts = [each["artifact"]["parts"][0]["text"] for each in pieces]
    assert "".join(texts) == "It is noon."
    assert "append" not in pieces[0]
    assert all(each["append"] for each in pieces[1:])
    assert pieces[-1]["lastChunk"] is True
    assert told[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_who_does_not_wait_for_the_end_cancels_nothing(user: User, master: Master) -> None:
    released = asyncio.Event()
    master.behave = waiting(released)
    url = await publish_assistant(user)
    asking = asyncio.create_task(post_rpc(user, url, "SendMessage", message()))
    await until_invoked(master)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    released.set()
    task = await until_ended(user, url, master.invocations[-1].request_id)
    assert task["artifacts"][0]["parts"] == [{"text": "It is noon."}]


async def test_the_same_message_again_in_its_context_is_the_same_task(
    user: User, master: Master
) -> None:
    url = await publish_assistant(user)
    sent = message(contextId="one")
    first = (await post_rpc(user, url, "SendMessage", sent))["result"]
    assert (await post_rpc(user, url, "SendMessage", sent))["result"] == first
    async with user.http.stream(
        "POST", f"{url}/message:stream", json=sent, headers=VERSION
    ) as response:
        assert [event async for event in read(response)] == [first]
    assert len(master.invocations) == 1
    elsewhere = await publish_assistant_again(user, url)
    told = await post_rpc(user, elsewhere, "SendMessage", sent)
    assert told["error"]["code"] == -32602
    assert (await post_rpc(user, elsewhere, "GetTask", {"id": first["task"]["id"]}))["error"]


async def publish_assistant_again(user: User, url: str) -> str:
    """The same under another alias: what was asked through the first is no task of it."""
    alias = url.rpartition("/")[2]
    assert (await user.http.delete(f"/api/publications/{alias}")).status_code == 204
    return await publish_assistant(user)


async def test_a_gateway_that_goes_down_ends_streams_and_another_one_tells_the_rest(
    system: System, user: User, master: Master, leaving: Child
) -> None:
    released = asyncio.Event()
    master.behave = waiting(released)
    url = await publish_assistant(user)
    there = url.replace(system.gateway, system.gateways[-1])
    async with user.http.stream(
        "POST", f"{there}/message:stream", json=message(), headers=VERSION
    ) as response:
        events = read(response)
        task = (await anext(events))["task"]
        await until_invoked(master)
        leaving.process.send_signal(signal.SIGTERM)
        states = [
            event["statusUpdate"]["status"]["state"]
            async for event in events
            if "statusUpdate" in event
        ]
    assert set(states) == {"TASK_STATE_WORKING"}
    released.set()
    ended = await until_ended(user, url, task["id"])
    assert ended["status"]["state"] == "TASK_STATE_COMPLETED"
    assert ended["contextId"] == task["contextId"]


async def test_who_waits_at_a_gateway_that_goes_down_is_told_to_come_back(
    system: System, user: User, master: Master, leaving: Child
) -> None:
    released = asyncio.Event()
    master.behave = waiting(released)
    url = await publish_assistant(user)
    there = url.replace(system.gateway, system.gateways[-1])
    asking = asyncio.create_task(
        user.http.post(f"{there}/message:send", json=message(), headers=VERSION)
    )
    await until_invoked(master)
    leaving.process.send_signal(signal.SIGTERM)
    answered = await asking
    assert (answered.status_code, answered.headers["retry-after"]) == (503, "1")
    assert answered.json()["error"] == {
        "code": 503,
        "status": "UNAVAILABLE",
        "message": RESTARTING,
        "details": [],
    }
    released.set()
    await until_ended(user, url, master.invocations[-1].request_id)


async def test_too_many_open_requests_are_refused_as_over_http(
    system: System, user: User, master: Master
) -> None:
    crowded = system.start_gateway(OPEN_REQUESTS_PER_USER="1")
    released = asyncio.Event()
    master.behave = waiting(released)
    url = (await publish_assistant(user)).replace(system.gateway, system.gateways[-1])
    try:
        at_once = {**message(), "configuration": {"returnImmediately": True}}
        first = (await post_rpc(user, url, "SendMessage", at_once))["result"]["task"]
        for path in (url, f"{url}/message:send", f"{url}/message:stream"):
            rpc = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": message()}
            sent = rpc if path == url else message()
            answered = await user.http.post(path, json=sent, headers=VERSION)
            assert (answered.status_code, answered.headers["retry-after"]) == (429, "1")
            assert answered.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
        released.set()
        await until_ended(user, url, first["id"])
    finally:
        crowded.kill()
        system.gateways.pop()
