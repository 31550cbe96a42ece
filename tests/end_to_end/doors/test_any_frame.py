"""Whatever comes to a door, its connection goes on, and what follows is handled."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from attrs import frozen
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.agent_bridge.router.any_frame import ANY_FRAME, ANY_JSON, AWKWARD, VALUE, Raw
from tests.end_to_end.doors.visitors import (
    Visitor,
    agent_at,
    answer_to,
    call_frame,
    visiting,
)
from tests.master import answer
from tests.system import ML_KEY, System
from tests.users import Json, User, eventually

SHARED = examples(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CALLS = st.fixed_dictionaries(
    {"message_type": st.just("agent_invoke") | VALUE},
    optional={
        "agent_uuid": VALUE,
        "request_payload": ANY_JSON,
        "request_metadata": VALUE | st.dictionaries(st.just("request_id"), VALUE),
        "invoked_by": VALUE,
    },
)


FRAMES = st.lists(ANY_FRAME | CALLS.map(json.dumps), min_size=1, max_size=12)


@frozen
class Talk:
    """An agent that is connected, and another one's connection for calls of it."""

    callee: Visitor
    callee_id: str
    caller: Visitor

    async def goes_on(self) -> None:
        """A call and its answer come through, whatever was said before."""
        text = f"call {uuid4()}"
        await self.caller.say(call_frame(self.callee_id, text=text))

        async def is_called() -> bool:
            return bool(self._calls(text))

        await eventually(is_called, "the agent is called")
        [invocation] = self._calls(text)
        await self.callee.say(answer_to(invocation, f"answer to {text}"))

        async def is_answered() -> bool:
            return any(each.get("response") == f"answer to {text}" for each in self.caller.heard)

        await eventually(is_answered, "the caller is answered")

    def _calls(self, text: str) -> list[Json]:
        return [
            each for each in self.callee.invocations if each["request_payload"] == {"text": text}
        ]


@pytest.fixture
async def talk(system: System, user: User) -> AsyncIterator[Talk]:
    first, second = system.doors
    async with (
        agent_at(first, user) as (callee, registered),
        agent_at(second, user) as (_, other),
        visiting(second, x_custom_invoke_key=f"{other['id']}:{registered['id']}") as caller,
    ):
        yield Talk(callee, registered["id"], caller)


@SHARED
@given(frames=FRAMES)
@example(frames=AWKWARD)
async def test_whatever_an_agent_says(talk: Talk, frames: list[Raw]) -> None:
    for frame in frames:
        await talk.callee.connection.send(frame)
    await talk.goes_on()


@SHARED
@given(frames=FRAMES)
@example(frames=AWKWARD)
async def test_whatever_a_caller_says(talk: Talk, frames: list[Raw]) -> None:
    for frame in frames:
        await talk.caller.connection.send(frame)
    await talk.goes_on()


@pytest.fixture
async def answering_master(system: System) -> AsyncIterator[Visitor]:
    """A master agent that echoes."""

    def echo(frame: Json) -> Json | None:
        payload = frame.get("request_payload", {})
        return answer_to(frame, answer(payload["message"])) if "message" in payload else None

    async with visiting(system.doors[0], API_KEY=ML_KEY) as master:
        master.react = echo
        yield master


@SHARED
@given(frames=FRAMES)
@example(frames=AWKWARD)
async def test_whatever_the_master_agent_says(
    answering_master: Visitor, user: User, frames: list[Raw]
) -> None:
    for frame in frames:
        await answering_master.connection.send(frame)
    async with user.chat() as chat:
        assert (await chat.ask("hello"))["response"]["response"] == answer("hello")


async def test_what_is_no_utf_8_ends_its_sender_alone(
    talk: Talk, user: User, system: System
) -> None:
    async with agent_at(system.doors[0], user) as (agent, _):
        await agent.connection.send(b"\xff\xff", text=True)
        assert await agent.end() == 1007
    await talk.goes_on()
