"""What answers have used, in the words of each protocol."""

import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests import agui
from tests.a2a import post_rpc, publish_assistant
from tests.gateway.shapes import good
from tests.gateway.usage.spending import saying
from tests.master import Master
from tests.mcpserver import mcp_client
from tests.users import Json, User

SAID: list[Json] = [
    {"model": "m", "provider": "p", "input_tokens": 10, "output_tokens": 3, "cached_tokens": 4},
    {"prompt_tokens": 5, "completion_tokens": 2},
]
NOTHING: Json = {
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "total_tokens": 0,
    "prompt_tokens_details": {"cached_tokens": 0},
}
ALL: Json = {
    "prompt_tokens": 15,
    "completion_tokens": 5,
    "total_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 4},
}
OF_RESPONSE: Json = {
    "input_tokens": 15,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 20,
}
OURS = [
    {**SAID[0], "written_tokens": 0},
    {"input_tokens": 5, "output_tokens": 2, "cached_tokens": 0, "written_tokens": 0},
]


@pytest.fixture
def frugal(master: Master) -> Master:
    """A master agent that says what it has used."""
    master.behave = saying(SAID)
    return master


async def complete(user: User, **more: Any) -> httpx2.Response:
    """What a chat completion is answered with."""
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": "config", "messages": messages, **more}
    return await user.http.post("/v1/chat/completions", json=body)


async def test_a_completion_tells_all_tokens(user: User, frugal: Master) -> None:
    assert good(await complete(user))["usage"] == ALL


async def test_a_completion_without_usage_tells_zeros(user: User, master: Master) -> None:
    assert good(await complete(user))["usage"] == NOTHING


async def test_a_stream_of_chunks_tells_them_where_they_are_wanted(
    user: User, frugal: Master
) -> None:
    plain = await complete(user, stream=True)
    wanted = await complete(user, stream=True, stream_options={"include_usage": True})
    assert '"usage"' not in plain.text
    assert '"total_tokens":20' in wanted.text


async def test_a_response_tells_them(user: User, frugal: Master) -> None:
    body = {"model": "config", "input": "hello"}
    assert good(await user.http.post("/v1/responses", json=body))["usage"] == OF_RESPONSE
    streamed = await user.http.post("/v1/responses", json={**body, "stream": True})
    assert '"total_tokens":20' in streamed.text


async def test_a_run_of_agui_ends_with_them(user: User, frugal: Master) -> None:
    *_, finished = await agui.run(user, agui.say("hello"))
    first = {"provider": "p", "model": "m", "inputTokens": 10, "outputTokens": 3}
    second = {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, "cachedInputTokens": 0}
    assert finished["usage"] == [
        {**first, "totalTokens": 13, "cachedInputTokens": 4, "cacheWriteInputTokens": 0},
        {**second, "cacheWriteInputTokens": 0},
    ]


async def test_a_run_without_usage_says_nothing_of_it(user: User, master: Master) -> None:
    *_, finished = await agui.run(user, agui.say("hello"))
    assert "usage" not in finished


async def test_an_mcp_result_tells_them_beside(user: User, frugal: Master) -> None:
    async with mcp_client(user) as client:
        result = await client.call_tool("ask", {"message": "hello"})
    assert result.meta is not None
    assert result.meta["genai/usage"] == OURS


async def test_a_task_of_a2a_has_them_among_its_metadata(user: User, frugal: Master) -> None:
    url = await publish_assistant(user)
    message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    task = (await post_rpc(user, url, "SendMessage", {"message": message}))["result"]["task"]
    assert task["metadata"] == {"usage": OURS}
    again = (await post_rpc(user, url, "GetTask", {"id": task["id"]}))["result"]
    assert again["metadata"] == {"usage": OURS}
    streamed = await user.http.post(
        f"{url}/message:stream",
        json={"message": {**message, "messageId": str(uuid4())}},
        headers={"A2A-Version": "1.0"},
    )
    *_, last = [line for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert json.loads(last.removeprefix("data: "))["statusUpdate"]["metadata"] == {"usage": OURS}


async def test_bad_usage_is_told_nowhere(user: User, master: Master) -> None:
    master.behave = saying({"input_tokens": "many"})
    assert good(await complete(user))["usage"] == NOTHING
    *_, finished = await agui.run(user, agui.say("hello"))
    assert "usage" not in finished
