"""Responses, as the official client of OpenAI's API has them."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import AsyncOpenAI

from tests.end_to_end.openai_client import openai_of
from tests.end_to_end.socket.test_parts import PARTS
from tests.end_to_end.test_completions import WHOLE, think_and_say
from tests.master import AgentError, Invocation, Master
from tests.users import Json, User

THOUGHT = "I look at the clock\n"


@pytest.fixture
async def client(user: User) -> AsyncIterator[AsyncOpenAI]:
    async with openai_of(user) as client:
        yield client


async def test_a_text_is_answered_as_one(client: AsyncOpenAI, master: Master) -> None:
    master.behave = think_and_say
    response = await client.responses.create(model="config", input="What is the time?")
    assert (response.output_text, response.status) == (WHOLE, "completed")
    reasoning, message = response.output
    assert message.type == "message"
    assert reasoning.type == "reasoning"
    assert reasoning.summary[0].text == THOUGHT
    assert response.model_extra
    assert response.id == f"resp_{response.model_extra['genai']['request_id']}"


async def test_it_is_told_as_it_is_made_by_events_with_numbers(
    client: AsyncOpenAI, master: Master
) -> None:
    master.behave = think_and_say
    stream = await client.responses.create(model="config", input="What is the time?", stream=True)
    events = [event async for event in stream]
    assert [each.sequence_number for each in events] == [*range(len(events))]
    assert [each.type for each in events[:2]] == ["response.created", "response.in_progress"]
    told = [each.delta for each in events if each.type == "response.output_text.delta"]
    assert "".join(told) == WHOLE
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == WHOLE


async def test_the_helper_of_the_client_puts_a_stream_together(
    client: AsyncOpenAI, master: Master
) -> None:
    master.behave = think_and_say
    async with client.responses.stream(model="config", input="What is the time?") as stream:
        deltas = [each.delta async for each in stream if each.type == "response.output_text.delta"]
        response = await stream.get_final_response()
    assert "".join(deltas) == response.output_text == "".join(PARTS)


async def test_a_conversation_goes_on_with_instructions(
    user: User, client: AsyncOpenAI, master: Master
) -> None:
    conversation: Any = [
        {"role": "user", "content": "Hello"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello, you"}],
        },
        {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
    ]
    response = await client.responses.create(
        model="config", input=conversation, instructions="Be short."
    )
    assert response.output_text == "echo: And now?"
    assert response.model_extra
    history = await user.history(response.model_extra["genai"]["session_id"])
    assert [each["sender_type"] for each in history] == ["user", "master_agent"] * 2
    assert master.invocations[-1].payload["configs"]["llm"]["system_prompt"] == "Be short."


async def test_a_session_that_is_named_goes_on(
    user: User, client: AsyncOpenAI, master: Master
) -> None:
    name = f"my chat {uuid4()}"
    sessions = set()
    for text in ("Hello", "And now?"):
        response = await client.responses.create(
            model="config", input=text, metadata={"session_id": name}
        )
        assert response.model_extra
        sessions.add(response.model_extra["genai"]["session_id"])
    [session_id] = sessions
    assert len(await user.history(session_id)) == 4


async def test_a_failure_ends_a_stream_and_is_an_error_elsewhere(
    client: AsyncOpenAI, master: Master
) -> None:
    async def fail(_: Invocation) -> Json:
        raise AgentError("the clock has stopped")

    master.behave = fail
    stream = await client.responses.create(model="config", input="hello", stream=True)
    last = [event async for event in stream][-1]
    assert last.type == "response.failed"
    assert last.response.error
    assert "the clock has stopped" in last.response.error.message
    with pytest.raises(openai.InternalServerError, match="the clock has stopped"):
        await client.responses.create(model="config", input="hello")
