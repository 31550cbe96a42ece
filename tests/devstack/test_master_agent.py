"""The stand-in master agent and the sample agent, real processes on a router of their own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import Server

from devstack.processes import free_port, start_child, stopping
from devstack.router import start_router
from devstack.routing import Keys
from shared.domain.usage import read_usage

from .router_client import connected, receive, send, token_of

AGENT = "8da86215-0b08-4876-8267-06b7bd2bc819"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOCK = {
    "agent_id": AGENT,
    "agent_name": "city_time_abcdef",
    "agent_description": "Tells the current time in a city",
    "agent_schema": {"type": "function", "function": {"parameters": PARAMETERS}},
}


@frozen
class System:
    """A back-end's connection to a router that both agents have reached."""

    url: str
    keys: Keys
    back_end: ClientConnection

    async def ask(self, number: int, **payload: Any) -> Any:
        """The master agent's answer to a request with this number in its ids."""
        lane_key = f"{self.keys.back_end}:master_server_ml:{number:04}"
        async with connected(self.url, x_custom_invoke_key=lane_key) as lane:
            await send(
                lane,
                message_type="agent_invoke",
                agent_uuid="master_server_ml",
                request_payload={"configs": {"llm": {"api_key": "secret"}}, "files": []} | payload,
                request_metadata={"request_id": f"r{number}", "session_id": f"s{number}"},
            )
            return await receive(lane)

    async def ask_time(self, number: int, city: str) -> Any:
        """The answer to a question about a city."""
        return await self.ask(number, message=f"What is the time in {city} now?", agents=[CLOCK])

    async def logs(self, count: int) -> list[dict[str, Any]]:
        """The next log entries that reach the back-end."""
        entries: list[dict[str, Any]] = []
        while len(entries) < count:
            payload = (await receive(self.back_end))["request_payload"]
            if payload["message_type"] == "agent_log":
                entries.append(payload)
        return entries


async def wait_for_agents(router: Server) -> None:
    everybody = ("back-end", "master agent", "sample agent")
    while len(router.connections) < len(everybody):  # noqa: ASYNC110 (no event tells of it)
        await asyncio.sleep(0.02)


@pytest.fixture
async def system(keys: Keys, tmp_path: Path) -> AsyncIterator[System]:
    port = free_port()
    environment = {
        **os.environ,
        "ROUTER_WS_URL": f"ws://127.0.0.1:{port}/ws",
        "MASTER_BE_API_KEY": keys.back_end,
        "MASTER_AGENT_API_KEY": keys.master_agent,
        "AGENT_JWT_TOKEN": token_of(AGENT),
    }
    async with AsyncExitStack() as stack:
        router = await stack.enter_async_context(await start_router(keys, port))
        url = environment["ROUTER_WS_URL"]
        back_end = await stack.enter_async_context(connected(url, API_KEY=keys.back_end))
        for name in ("master_agent", "sample_agent"):
            command = [sys.executable, "-m", f"devstack.{name}"]
            child = start_child(name, command, tmp_path / f"{name}.log", environment=environment)
            stack.enter_context(stopping(child))
        async with asyncio.timeout(10):
            await wait_for_agents(router)
            assert (await receive(back_end))["request_payload"]["agent_name"] == "city_time"
        yield System(url, keys, back_end)
        back_end.transport.abort()  # what it has not read would delay its closing


async def test_the_logs_of_a_request_come_in_order_and_without_secrets(system: System) -> None:
    await system.ask_time(1, "Kyiv")
    logs = await system.logs(4)
    beginnings = [log["log_message"].split(" ")[0] for log in logs]
    assert beginnings == ["Looking", "Calling", "Looking", "city_time_abcdef"]
    assert "secret" not in json.dumps(logs)


async def test_an_answer_is_told_word_by_word_before_it_is_given(system: System) -> None:
    answer = (await system.ask_time(1, "Kyiv"))["response"]["response"]
    words = (await system.logs(4 + len(answer.split())))[4:]
    assert {(each["log_level"], each["request_id"]) for each in words} == {("delta", "r1")}
    assert "".join(each["log_message"] for each in words) == answer


async def test_a_long_answer_is_told_in_a_hundred_parts_at_most(system: System) -> None:
    offered = CLOCK | {"agent_description": " so \n many" * 500 + "\n"}
    answer = (await system.ask(1, message="Sing a song", agents=[offered]))["response"]["response"]
    await system.logs(2)
    parts: list[str] = []
    while len("".join(parts)) < len(answer):
        parts += [entry["log_message"] for entry in await system.logs(1)]
    assert "".join(parts) == answer
    assert 50 < len(parts) <= 100


async def test_without_a_fitting_agent_the_answer_says_which_there_are(system: System) -> None:
    answer = (await system.ask(1, message="Sing a song", agents=[CLOCK]))["response"]
    assert answer["is_success"]
    assert "city_time_abcdef: Tells the current time in a city" in answer["response"]


async def test_an_answer_says_what_it_has_used(system: System) -> None:
    answer = (await system.ask(1, message="Sing a song", agents=[CLOCK]))["response"]
    [used] = read_usage(answer["usage"])
    assert (used.model, used.provider, used.input_tokens) == ("words", None, 3)
    assert used.output_tokens == len(answer["response"].split())


async def test_an_agent_that_is_gone_makes_the_answer_a_failure(system: System) -> None:
    gone = {**CLOCK, "agent_id": "00000000-0000-4000-8000-000000000000"}
    frame = await system.ask(1, message="What is the time in Kyiv?", agents=[gone])
    answer = frame["response"]
    assert not answer["is_success"]
    assert answer["response"] == "city_time_abcdef failed: Agent is NOT active"
    assert not answer["agents_trace"][0]["is_success"]


async def test_the_other_contract_is_refused_as_a_real_master_agent_does(system: System) -> None:
    frame = await system.ask(1, session_id="s1", user_id="u", timestamp=1.0)
    assert "unexpected keyword argument" in frame["error"]["error_message"]


async def test_a_flow_hands_on_what_each_member_answers(system: System) -> None:
    flow = {**CLOCK, "agent_id": "f", "agent_name": "twice_the_time", "flow": [AGENT, AGENT]}
    frame = await system.ask(1, message="Time in Kyiv, twice", agents=[CLOCK, flow])
    steps = frame["response"]["agents_trace"]
    assert steps[0]["input"] == {"city": "Kyiv"}
    assert [step["is_success"] for step in steps] == [True, True]
