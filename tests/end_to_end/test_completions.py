"""Chat completions, as the official client of OpenAI's API has them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import AsyncOpenAI

from tests.end_to_end.openai_client import openai_of
from tests.end_to_end.socket.test_parts import PARTS, say
from tests.master import AgentError, Invocation, Master, answer
from tests.sql import Sql
from tests.users import Json, User, eventually

WHOLE = "".join(PARTS)
QUESTION: Any = [{"role": "user", "content": "What is the time?"}]


@pytest.fixture
async def client(user: User) -> AsyncIterator[AsyncOpenAI]:
    async with openai_of(user) as client:
        yield client


async def think_and_say(invocation: Invocation) -> Json:
    """Log something, and answer in parts."""
    await invocation.log("I look at the clock")
    return await say(invocation)


async def wait(_: Invocation) -> Json:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_models_are_the_users_configs(user: User, client: AsyncOpenAI) -> None:
    await user.create_config("with/a slash")
    models = [each.id async for each in client.models.list()]
    assert models == ["with/a slash", "config"]
    found = await client.models.retrieve("with/a slash")
    assert (found.id, found.owned_by, found.object) == ("with/a slash", "config", "model")


async def test_a_question_is_answered_as_one(
    user: User, client: AsyncOpenAI, master: Master
) -> None:
    master.behave = think_and_say
    completion = await client.chat.completions.create(model="config", messages=QUESTION)
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == (WHOLE, "stop")
    assert choice.message.model_extra == {"reasoning_content": "I look at the clock\n"}
    assert (completion.object, completion.model) == ("chat.completion", "config")
    assert completion.model_extra
    more = completion.model_extra["genai"]
    assert completion.id == f"chatcmpl-{more['request_id']}"
    assert (more["agents_trace"], more["files"], more["is_success"]) == ([], [], True)
    history = await user.history(more["session_id"])
    assert [each["sender_type"] for each in history] == ["user", "master_agent"]


async def read_stream(stream: Any) -> tuple[str, str, Any]:
    """What was thought, what was answered, and the last chunk that has a choice."""
    thoughts, contents, last = [], [], None
    async for chunk in stream:
        for choice in chunk.choices:
            last = chunk
            contents.append(choice.delta.content or "")
            thoughts.append((choice.delta.model_extra or {}).get("reasoning_content", ""))
    return "".join(thoughts), "".join(contents), last


async def test_it_is_answered_as_the_answer_is_made(client: AsyncOpenAI, master: Master) -> None:
    heard = asyncio.Event()

    async def go_on(invocation: Invocation) -> Json:
        await invocation.log("I look at the clock")
        await invocation.log(PARTS[0], "delta")
        await heard.wait()
        return answer(WHOLE)

    master.behave = go_on
    stream = await client.chat.completions.create(model="config", messages=QUESTION, stream=True)
    contents, thoughts, last = [], [], None
    async for chunk in stream:
        last, [choice] = chunk, chunk.choices
        if choice.delta.content:
            heard.set()
            contents.append(choice.delta.content)
        thoughts.append((choice.delta.model_extra or {}).get("reasoning_content", ""))
    assert contents[0] == PARTS[0]
    assert ("".join(contents), "".join(thoughts)) == (WHOLE, "I look at the clock\n")
    assert last
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra
    assert last.model_extra["genai"]["replaces_parts"] is False


async def test_an_answer_that_its_parts_had_not_begun_follows_them_as_a_whole(
    client: AsyncOpenAI, master: Master
) -> None:
    async def change(invocation: Invocation) -> Json:
        await invocation.log("It is one", "delta")
        return answer(WHOLE)

    master.behave = change
    stream = await client.chat.completions.create(model="config", messages=QUESTION, stream=True)
    _, said, last = await read_stream(stream)
    assert said in {f"It is one\n\n{WHOLE}", WHOLE}  # parts may be lost
    assert last.model_extra["genai"]["replaces_parts"] == (said != WHOLE)


async def test_the_last_chunk_has_the_usage_where_it_is_wanted(
    client: AsyncOpenAI, master: Master
) -> None:
    master.behave = say
    stream = await client.chat.completions.create(
        model="config", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert {each.usage for each in chunks[:-1]} == {None}


async def test_the_helper_of_the_client_puts_a_stream_together(
    client: AsyncOpenAI, master: Master
) -> None:
    master.behave = think_and_say
    async with client.chat.completions.stream(model="config", messages=QUESTION) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == WHOLE


async def test_a_failure_is_an_error_and_is_not_tried_again(
    user: User, sql: Sql, master: Master
) -> None:
    async def fail(_: Invocation) -> Json:
        raise AgentError("the clock has stopped")

    master.behave = fail
    async with openai_of(user, max_retries=3) as client:
        with pytest.raises(openai.InternalServerError) as raised:
            await client.chat.completions.create(model="config", messages=QUESTION)
        assert raised.value.status_code == 502
        assert raised.value.code == "answer_failed"
        assert "the clock has stopped" in raised.value.message
        assert sql("SELECT count(*) FROM requests WHERE creator_id = %s", user.id) == [{"count": 1}]
        stream = await client.chat.completions.create(
            model="config", messages=QUESTION, stream=True
        )
        with pytest.raises(openai.APIError, match="the clock has stopped"):
            await read_stream(stream)


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_client_that_leaves_ends_the_request(
    user: User, sql: Sql, client: AsyncOpenAI, master: Master, is_streamed: bool
) -> None:
    master.behave = wait
    if is_streamed:
        stream = await client.chat.completions.create(
            model="config", messages=QUESTION, stream=True
        )
        await anext(aiter(stream))
        await stream.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="config", messages=QUESTION, timeout=1)

    async def is_cancelled() -> bool:
        found = sql("SELECT status FROM requests WHERE creator_id = %s", user.id)
        return [each["status"] for each in found] == ["cancelled"]

    await eventually(is_cancelled, "the request is cancelled")


async def test_earlier_messages_become_a_session_of_their_own_that_is_not_listed(
    user: User, client: AsyncOpenAI, master: Master
) -> None:
    messages: Any = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello, you"},
        *QUESTION,
    ]
    completion = await client.chat.completions.create(
        model="config", messages=messages, temperature=0.25
    )
    assert completion.model_extra
    session_id = completion.model_extra["genai"]["session_id"]
    history = await user.history(session_id)
    assert [each["sender_type"] for each in history] == ["user", "master_agent"] * 2
    assert history[0]["content"] == "Hello"
    assert (await user.http.get("/api/chats")).json()["chats"] == []
    configs = master.invocations[-1].payload["configs"]["llm"]
    assert (configs["system_prompt"], configs["temperature"]) == ("Be short.", 0.25)


@pytest.mark.parametrize("place", ["metadata", "header", "Open WebUI"])
async def test_a_session_that_is_named_goes_on(
    user: User, client: AsyncOpenAI, master: Master, place: str
) -> None:
    session_id = str(uuid4())
    given: dict[str, Any] = {
        "metadata": {"metadata": {"session_id": session_id}},
        "header": {"extra_headers": {"X-Session-Id": session_id}},
        "Open WebUI": {"extra_headers": {"X-OpenWebUI-Chat-Id": session_id}},
    }[place]
    for text in ("Hello", "And now?"):
        messages: Any = [{"role": "assistant", "content": "another history"}]
        messages = messages if text != "Hello" else []
        stream = await client.chat.completions.create(
            model="config",
            messages=[*messages, {"role": "user", "content": text}],
            stream=True,
            **given,
        )
        await read_stream(stream)
    history = await user.history(session_id)
    assert [each["content"] for each in history if each["sender_type"] == "user"] == [
        "Hello",
        "And now?",
    ]
    assert len(history) == 4
    listed = (await user.http.get("/api/chats")).json()["chats"]
    assert [each["session_id"] for each in listed] == [session_id]


async def test_what_open_webui_asks_about_a_chat_is_no_part_of_it(
    user: User, client: AsyncOpenAI, master: Master
) -> None:
    session_id = str(uuid4())
    await client.chat.completions.create(
        model="config", messages=QUESTION, extra_headers={"X-OpenWebUI-Chat-Id": session_id}
    )
    assert await user.history(session_id) == []


async def test_another_users_session_is_refused(
    user: User, other_user: User, client: AsyncOpenAI, master: Master
) -> None:
    session_id = str(uuid4())
    async with other_user.chat(session_id) as chat:
        await chat.ask("hello")
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(
            model="config", messages=QUESTION, metadata={"session_id": session_id}
        )
    assert raised.value.param == "metadata.session_id"
    assert len(await other_user.history(session_id)) == 2
