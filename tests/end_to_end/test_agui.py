"""The protocol's own client, and any other, has agents run and sees their answers grow."""

import asyncio
from typing import Any
from uuid import uuid4

from ag_ui_validate.pytest_plugin import validate_agui_endpoint

from tests.agent_bridge.actors import until_invoked
from tests.agui import PATH, make_input, run, run_client, running, say
from tests.asked import agent_that, create_flow, saying
from tests.end_to_end.socket.test_parts import PARTS
from tests.gateway.agui.front_end import FrontEnd, check_run
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Json, User, eventually

ANSWER = "".join(PARTS)
STEP = {"id": str(uuid4()), "name": "clock", "input": {"city": "Kyiv"}, "output": "12:00"}


async def work(invocation: Invocation) -> Json:
    """Log, say the parts, and name an agent that was called."""
    await invocation.log("Looking at the clock")
    for part in PARTS:
        await invocation.log(part, "delta")
    return {**answer(ANSWER), "agents_trace": [STEP]}


def shown(events: list[Json]) -> FrontEnd:
    front_end = FrontEnd()
    front_end.apply(events)
    return front_end


async def test_a_run_is_told_as_it_goes_on(user: User, master: Master) -> None:
    master.behave = work
    thread = str(uuid4())
    front_end = shown(await run(user, say("What is the time?"), thread=thread))
    assert (front_end.answers, front_end.reasoning) == ([ANSWER], ["Looking at the clock\n"])
    assert [*front_end.calls.values()] == [["clock", '{"city":"Kyiv"}', "12:00"]]
    [end] = front_end.ends
    assert (end["result"]["session_id"], end["result"]["is_success"]) == (thread, True)
    assert (await user.history(thread))[0]["content"] == "What is the time?"


async def test_parts_come_before_the_answer_is_there(user: User, master: Master) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Json:
        await invocation.log("It is", "delta")
        await released.wait()
        return answer("It is noon.")

    master.behave = behave
    async with running(user, make_input(say("What is the time?"))) as stream:
        events = [await anext(stream) for _ in range(3)]
        assert events[-1]["delta"] == "It is"
        released.set()
        events += [event async for event in stream]
    check_run(events)
    assert shown(events).answers == ["It is noon."]


async def test_the_client_of_the_protocol_shows_it(user: User, master: Master) -> None:
    master.behave = work
    message = say("What is the time?")
    [told] = await run_client(user, {"say": message})
    assert (told["outcome"], told["failure"]) == ("success", None)
    assert told["result"]["is_success"] is True
    by_role = {each["role"]: each for each in told["messages"]}
    assert (len(told["messages"]), told["messages"][0]["id"]) == (4, message["id"])
    reasoning, text, tool = by_role["reasoning"], by_role["assistant"], by_role["tool"]
    assert (reasoning["content"], text["content"]) == ("Looking at the clock\n", ANSWER)
    [call] = text["toolCalls"]
    assert call["function"] == {"name": "clock", "arguments": '{"city":"Kyiv"}'}
    assert (tool["toolCallId"], tool["content"]) == (call["id"], "12:00")


async def test_the_validator_of_the_protocol_finds_nothing_at_the_endpoint(
    user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> Json:
        await asyncio.sleep(0.2)  # so that it can be seen whether events wait for each other
        return await work(invocation)

    master.behave = behave
    url = str(user.http.base_url).rstrip("/") + PATH
    headers = {"Authorization": f"Bearer {user.token}"}
    report = await validate_agui_endpoint(url, headers=headers)
    assert report.diagnostics == []
    assert report.internal_errors == []
    exercised = {name for name, state in report.features.items() if state == "exercised"}
    assert exercised == {"agentic-chat", "backend-tool-rendering"}


async def test_a_thread_goes_on_in_its_session(user: User, master: Master) -> None:
    thread = str(uuid4())
    first, second = await run_client(
        user, {"say": say("one")}, {"say": say("two")}, threadId=thread
    )
    assert first["newMessages"][0]["content"] == "echo: one"
    assert [each["content"] for each in second["messages"]] == [
        "one",
        "echo: one",
        "two",
        "echo: two",
    ]
    asked = [each["content"] for each in await user.history(thread)]
    assert (len(asked), asked[0], asked[2]) == (4, "one", "two")


async def test_the_same_message_again_is_told_nothing_twice(user: User, master: Master) -> None:
    master.behave = work
    first, again = await run_client(user, {"say": say("What is the time?")}, {})
    assert [event["type"] for event in again["events"]] == ["RUN_STARTED", "RUN_FINISHED"]
    assert (again["result"], again["messages"]) == (first["result"], first["messages"])
    assert len(master.invocations) == 1


async def test_a_front_end_that_comes_back_is_told_the_rest(user: User, master: Master) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Json:
        await invocation.log("It is", "delta")
        await released.wait()
        return answer("It is noon.")

    master.behave = behave
    message, thread = say("What is the time?"), "my thread"
    async with running(user, make_input(message, thread=thread)) as stream:
        front_end = shown([await anext(stream) for _ in range(3)])
        given = make_input(message, *front_end.messages, thread=thread)
        async with running(user, given) as resumed:
            assert (await anext(resumed))["type"] == "RUN_STARTED"
            released.set()
            rest = [event async for event in resumed]
        front_end.apply(rest)
        others = [event async for event in stream]
    for told in (rest, others):
        assert [event["delta"] for event in told if "delta" in event] == [" noon."]
    assert front_end.answers == ["It is noon."]
    assert len(master.invocations) == 1


async def test_who_hangs_up_cancels_the_run(user: User, master: Master) -> None:
    master.behave = _forever
    thread = str(uuid4())
    [told] = await run_client(
        user, {"say": say("slow"), "abortAt": "TEXT_MESSAGE_START"}, threadId=thread
    )
    assert told["events"][-1]["type"] == "RUN_ERROR"
    await eventually(lambda: _is(user, thread, "cancelled"), "the request was cancelled")
    [again] = await run_client(user, {}, threadId=thread, messages=told["messages"])
    assert again["outcome"] == "cancelled"
    assert len(master.invocations) == 1


async def test_agents_and_flows_are_asked_themselves(system: System, user: User) -> None:
    react = saying(lambda text: f"sealed: {text}")
    async with agent_that(system, user, react) as (_, agent):
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        flow = await create_flow(user, agent["id"], agent["id"])
        runs = [
            {"say": say("hello"), "forwardedProps": {"model": model}}
            for model in (alias, agent["id"], flow)
        ]
        told = await run_client(user, *runs)
    answers = [each["newMessages"][0]["content"] for each in told]
    assert answers == ["sealed: hello"] * 2 + ["sealed: sealed: hello"]
    calls = [event for event in told[2]["events"] if event["type"] == "TOOL_CALL_START"]
    assert [(each["toolCallName"], each["metadata"]["id"]) for each in calls] == [
        (alias, agent["id"])
    ] * 2


async def test_a_refusal_reaches_the_client_as_what_it_is(user: User) -> None:
    props = {"model": "nobody"}
    [told] = await run_client(user, {"say": say("hello"), "forwardedProps": props})
    assert "HTTP 400" in told["failure"]
    assert "There is no model config, agent or flow named 'nobody'" in told["failure"]
    assert (told["events"], len(told["messages"])) == ([], 1)


async def test_a_run_goes_on_while_somebody_follows_it(user: User, master: Master) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Json:
        await released.wait()
        return answer("noon")

    master.behave = behave
    given = make_input(say("What is the time?"))
    async with running(user, given) as stays:
        assert (await anext(stays))["type"] == "RUN_STARTED"
        async with running(user, given) as leaves:
            assert (await anext(leaves))["type"] == "RUN_STARTED"
            await until_invoked(master)
        await asyncio.sleep(0.2)  # time in which it would be cancelled
        released.set()
        assert shown([event async for event in stays]).answers == ["noon"]


async def _forever(invocation: Invocation) -> Any:
    await invocation.log("It is", "delta")
    await asyncio.Event().wait()


async def _is(user: User, thread: str, status: str) -> bool:
    requests = (await user.http.get("/api/requests", params={"session_id": thread})).json()
    return [each["status"] for each in requests] == [status]
