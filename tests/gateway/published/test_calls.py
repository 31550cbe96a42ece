"""Calling what is published with the package's clients, in each dialect of the protocol."""

import asyncio
from typing import Any

import pytest
from a2a.client.errors import A2AClientError
from a2a.helpers.proto_helpers import get_data_parts, new_data_part
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskState,
)
from a2a.utils.errors import A2AError, TaskNotCancelableError

from tests.a2a import DIALECTS, Dialect, calling, publish, publish_assistant, say, shown
from tests.asked import agent_that, saying
from tests.master import AgentError, Invocation, Master, answer
from tests.system import System
from tests.users import Json, User

WORKING, COMPLETED = TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED
FAILED, CANCELED = TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_CANCELED

by_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=str)


async def work(invocation: Invocation) -> Json:
    await invocation.log("Looking at the clock")
    await invocation.log("It is ", "delta")
    await invocation.log("noon", "delta")
    return answer("It is noon.")


def states(events: list[StreamResponse]) -> list[Any]:
    return [each.status_update.status.state for each in events if each.HasField("status_update")]


@by_dialect
async def test_a_task_is_told_as_it_is_worked_on(
    user: User, master: Master, dialect: Dialect
) -> None:
    master.behave = work
    url = await publish_assistant(user)
    async with calling(user, url, dialect) as client:
        events = [event async for event in client.send_message(say("What is the time?"))]
    first, *updates = events
    task = first.task
    assert task.status.state == TaskState.TASK_STATE_SUBMITTED
    assert [part.text for part in task.history[0].parts] == ["What is the time?"]
    ids = {each.status_update.task_id or each.artifact_update.task_id for each in updates}
    assert ids == {task.id}
    [logged] = [
        each.status_update.status for each in updates if each.status_update.status.message.parts
    ]
    assert (logged.state, logged.message.parts[0].text) == (WORKING, "Looking at the clock")
    assert logged.message.metadata["logLevel"] == "info"
    assert shown(events) == "It is noon."
    assert states(events)[-1] == COMPLETED
    assert master.invocations[-1].request_id == task.id
    assert master.invocations[-1].session_id == task.context_id


@by_dialect
async def test_who_waits_gets_the_whole_task(user: User, master: Master, dialect: Dialect) -> None:
    master.behave = work
    url = await publish_assistant(user)
    async with calling(user, url, dialect, streaming=False) as client:
        [told] = [event async for event in client.send_message(say("What is the time?"))]
        task = told.task
        assert task.status.state == COMPLETED
        assert [part.text for part in task.artifacts[0].parts] == ["It is noon."]
        assert await client.get_task(GetTaskRequest(id=task.id)) == task


@by_dialect
async def test_who_does_not_wait_asks_and_comes_back_until_it_has_ended(
    user: User, master: Master, dialect: Dialect
) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Json:
        await released.wait()
        return await work(invocation)

    master.behave = behave
    url = await publish_assistant(user)
    async with calling(user, url, dialect, streaming=False, polling=True) as client:
        [told] = [event async for event in client.send_message(say())]
        assert told.task.status.state == TaskState.TASK_STATE_SUBMITTED
    async with calling(user, url, dialect) as client:
        following = client.subscribe(SubscribeToTaskRequest(id=told.task.id))
        first = await anext(following)
        assert (first.task.id, first.task.context_id) == (told.task.id, told.task.context_id)
        assert not first.task.artifacts
        released.set()
        events = [event async for event in following]
        assert shown(events) == "It is noon."
        assert states(events)[-1] == COMPLETED
        with pytest.raises((A2AError, A2AClientError)):
            await anext(client.subscribe(SubscribeToTaskRequest(id=told.task.id)))


@by_dialect
async def test_a_task_is_cancelled_once(user: User, master: Master, dialect: Dialect) -> None:
    async def behave(_: Invocation) -> Any:
        await asyncio.Event().wait()

    master.behave = behave
    url = await publish_assistant(user)
    async with calling(user, url, dialect) as client:
        stream = client.send_message(say())
        task = (await anext(stream)).task
        cancelled = await client.cancel_task(CancelTaskRequest(id=task.id))
        assert cancelled.status.state == CANCELED
        assert states([event async for event in stream])[-1] == CANCELED
        with pytest.raises((TaskNotCancelableError, A2AClientError)):
            await client.cancel_task(CancelTaskRequest(id=task.id))
        assert (await client.get_task(GetTaskRequest(id=task.id))).status.state == CANCELED


@by_dialect
async def test_a_task_that_fails_says_why(user: User, master: Master, dialect: Dialect) -> None:
    async def behave(_: Invocation) -> Json:
        raise AgentError("The clock is broken")

    master.behave = behave
    url = await publish_assistant(user)
    async with calling(user, url, dialect) as client:
        events = [event async for event in client.send_message(say())]
        status = events[-1].status_update.status
        assert status.state == FAILED
        assert "The clock is broken" in status.message.parts[0].text
        task = await client.get_task(GetTaskRequest(id=events[0].task.id))
        assert task.status.state == FAILED
        assert task.status.message.parts == status.message.parts
        assert not task.artifacts


@by_dialect
async def test_messages_of_a_context_are_of_one_session(
    user: User, master: Master, dialect: Dialect
) -> None:
    url = await publish_assistant(user)
    context = "мій контекст"
    async with calling(user, url, dialect, streaming=False) as client:
        for text in ("one", "two"):
            [told] = [each async for each in client.send_message(say(text, context_id=context))]
            assert told.task.context_id == context
    session_id, other = (each.session_id for each in master.invocations[-2:])
    assert session_id == other
    told_texts = [each["content"] for each in await user.history(session_id)]
    assert (told_texts[0], told_texts[2]) == ("one", "two")


async def test_agents_are_asked_themselves(system: System, user: User) -> None:
    async with agent_that(system, user, saying(lambda text: f"sealed: {text}")) as (_, agent):
        url = await publish(user, "agent", agent["id"])
        async with calling(user, url) as client:
            events = [event async for event in client.send_message(say("Dear Jo"))]
    assert shown(events) == "sealed: Dear Jo"


@by_dialect
async def test_an_agent_is_called_with_data(system: System, user: User, dialect: Dialect) -> None:
    given: Json = {"text": "Dear Jo", "copies": 2, "of": [1.5, {"a": None}]}
    called: list[Json] = []

    def react(frame: Json) -> Json | None:
        called.extend([frame["request_payload"]] if "request_payload" in frame else [])
        return saying(lambda text: f"sealed: {text}")(frame)

    async with agent_that(system, user, react) as (_, agent):
        url = await publish(user, "agent", agent["id"])
        async with calling(user, url, dialect, streaming=False) as client:
            sent = say(parts=[new_data_part(given)])
            [told] = [each async for each in client.send_message(sent)]
    assert called == [given]
    assert told.task.artifacts[0].parts[0].text == "sealed: Dear Jo"
    assert get_data_parts(told.task.history[0].parts) == [given]


async def test_an_agent_that_is_not_connected_makes_a_task_that_fails(user: User) -> None:
    agent = await user.register_agent("clock", "tells the time")
    url = await publish(user, "agent", agent["id"])
    async with calling(user, url) as client:
        events = [event async for event in client.send_message(say())]
    status = events[-1].status_update.status
    assert status.state == FAILED
    assert "is not connected" in status.message.parts[0].text


async def test_tasks_are_listed_page_by_page(user: User, master: Master) -> None:
    url = await publish_assistant(user)
    async with calling(user, url, streaming=False) as client:
        asked: list[Task] = []
        for text in ("one", "two", "three"):
            [told] = [each async for each in client.send_message(say(text))]
            asked.append(told.task)
        first = await client.list_tasks(ListTasksRequest(page_size=2))
        assert (first.page_size, first.total_size) == (2, 3)
        last = await client.list_tasks(
            ListTasksRequest(page_size=2, page_token=first.next_page_token, include_artifacts=True)
        )
        assert [task.id for task in (*first.tasks, *last.tasks)] == [each.id for each in asked][
            ::-1
        ]
        assert last.next_page_token == ""
        assert [*last.tasks] == asked[:1]
        assert not any(task.artifacts for task in first.tasks)
        of_one = await client.list_tasks(ListTasksRequest(context_id=asked[1].context_id))
        assert [task.id for task in of_one.tasks] == [asked[1].id]
        failed = await client.list_tasks(ListTasksRequest(status=FAILED))
        assert ([*failed.tasks], failed.total_size) == ([], 0)
        since = asked[1].status.timestamp
        later = await client.list_tasks(ListTasksRequest(status_timestamp_after=since))
        assert [task.id for task in later.tasks] == [asked[2].id]
