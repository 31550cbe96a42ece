"""OpenAI's API as its package for JavaScript speaks it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.socket.test_parts import say
from tests.end_to_end.test_completions import WHOLE, think_and_say, wait
from tests.master import AgentError, Invocation, Master
from tests.sql import Sql
from tests.users import FRAME_SECONDS, Json, User, eventually

NODE = Path(sys.executable).with_name("node")
CLIENT = Path(__file__).parent.parent / "node/openai.mjs"
QUESTION: Json = {"model": "config", "messages": [{"role": "user", "content": "What time is it?"}]}


async def run_client(user: User, ask: str, body: Json | None = None, **scenario: Any) -> Json:
    """What the package makes of an answer: what it was told, or the error that it raised."""
    url = f"{str(user.http.base_url).rstrip('/')}/v1"
    given = {"url": url, "token": user.token, "ask": ask, "body": body, **scenario}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(NODE, CLIENT, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(2 * FRAME_SECONDS):
        told, _ = await child.communicate(json.dumps(given).encode())
    assert child.returncode == 0
    made: Json = json.loads(told)
    return made


async def test_models_are_listed(user: User) -> None:
    assert await run_client(user, "models") == {"told": ["config"]}


async def test_a_question_is_answered_as_one_and_as_it_is_made(user: User, master: Master) -> None:
    master.behave = think_and_say
    whole = (await run_client(user, "chat", QUESTION))["told"]
    assert whole["choices"][0]["message"]["content"] == WHOLE
    assert whole["choices"][0]["message"]["reasoning_content"] == "I look at the clock\n"
    chunks = (await run_client(user, "chunks", QUESTION))["told"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == WHOLE
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert await run_client(user, "helper", QUESTION) == {"told": WHOLE}


async def test_so_is_a_response(user: User, master: Master) -> None:
    master.behave = say
    body = {"model": "config", "input": "What time is it?"}
    assert await run_client(user, "response", body) == {"told": WHOLE}
    events = (await run_client(user, "events", body))["told"]
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"


async def test_errors_are_its_own(user: User, master: Master) -> None:
    async def fail(_: Invocation) -> Json:
        raise AgentError("the clock has stopped")

    unknown = await run_client(user, "chat", {**QUESTION, "model": "other"})
    assert (unknown["error"]["status"], unknown["error"]["code"]) == (404, "model_not_found")
    master.behave = fail
    failed = await run_client(user, "chat", QUESTION)
    assert (failed["error"]["status"], failed["error"]["type"]) == (502, "server_error")
    in_stream = await run_client(user, "chunks", QUESTION)
    assert "the clock has stopped" in in_stream["error"]["message"]


async def test_who_aborts_ends_the_request(user: User, sql: Sql, master: Master) -> None:
    master.behave = wait
    told = await run_client(user, "chunks", QUESTION, abortAfter=1)
    assert len(told["told"]) == 1

    async def is_cancelled() -> bool:
        found = sql("SELECT status FROM requests WHERE creator_id = %s", user.id)
        return [each["status"] for each in found] == ["cancelled"]

    await eventually(is_cancelled, "the request is cancelled")
