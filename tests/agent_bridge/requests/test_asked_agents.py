"""Agents and flows that are asked themselves, at the router and at a door."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from agent_bridge.requests.ending import CONNECTION_LOST, INTERRUPTED, ROUTER_AWAY, TIMED_OUT
from shared.domain.asked import NOBODY, TOO_MANY, TOOLS
from shared.domain.flows import ASKED_MEMBERS_LIMIT
from tests.agent_bridge.broken import keep_bridges, until_heard
from tests.agent_bridge.stored import execute, select, select_logs, select_requests
from tests.asked import agent_that, ask, create_flow, failing, insert_request, saying
from tests.end_to_end.doors.visitors import Visitor, answer_to, log_frame
from tests.sql import run_sql
from tests.system import BE_KEY, System
from tests.users import Json, User, eventually, insert_user


@pytest.fixture(params=["system", "door_system"])
def place(request: pytest.FixtureRequest) -> System:
    """Where agents connect to the router, and where they come through a door."""
    place: System = request.getfixturevalue(request.param)
    return place


@pytest.fixture
async def asker(place: System) -> AsyncIterator[User]:
    """Somebody without a model config; no master agent is connected either."""
    with run_sql(place.settings) as sql:
        async with insert_user(place, sql) as user:
            sql("DELETE FROM modelproviders WHERE creator_id = %s", user.id)
            yield user


def step(agent: Json, text: str, output: object, *, is_success: bool = True) -> Json:
    """An agent's entry in the trace."""
    return {
        "id": agent["id"],
        "name": agent["alias"],
        "input": {"text": text},
        "output": output,
        "is_success": is_success,
        "execution_time": 0.1 if is_success else 0.0,
        "type": "genai",
    }


def reason_of(frame: Json) -> str:
    """Why a request failed."""
    response = frame["response"]
    assert response["is_success"] is response["response"]["is_success"] is False
    assert response["response"]["response"] == frame["error"]
    return str(frame["error"])


async def test_an_agent_is_given_the_message_and_its_answer_is_the_answer(
    place: System, asker: User
) -> None:
    async with agent_that(place, asker, saying(str.upper)) as (visitor, agent):
        frame = await ask(place, asker, "žluť", asked_id=agent["id"])
    response = frame["response"]
    assert response["response"] == {
        "agents_trace": [step(agent, "žluť", "ŽLUŤ")],
        "response": "ŽLUŤ",
        "is_success": True,
    }
    assert (response["is_success"], response["execution_time"]) == (True, 0.1)
    [call] = visitor.invocations
    ids = {"request_id": response["request_id"], "session_id": response["session_id"]}
    assert call["request_metadata"] == ids
    assert call["request_payload"] == {"text": "žluť"}
    [row] = select_requests(place, response["session_id"])
    assert (row["status"], row["provider_id"]) == ("answered", None)
    [_, stored] = await asker.history(response["session_id"])
    assert stored["sender_type"] == "master_agent"


async def test_an_agent_sees_who_asks_and_no_key(place: System, asker: User) -> None:
    async with agent_that(place, asker, saying(str.upper)) as (visitor, agent):
        await ask(place, asker, asked_id=agent["id"])
    [call] = visitor.invocations
    assert call["invoked_by"].startswith(f"master_server_be:{agent['id']}:")
    assert BE_KEY not in str(visitor.heard)


async def test_members_of_a_flow_are_asked_in_turn_each_with_the_text_of_the_one_before(
    place: System, asker: User
) -> None:
    async with (
        agent_that(place, asker, saying(lambda text: {"said": text})) as (_, first),
        agent_that(place, asker, saying(lambda text: {"response": text * 2, "x": 1})) as (_, last),
    ):
        flow = await create_flow(asker, first["id"], last["id"], first["id"])
        frame = await ask(place, asker, "a", asked_id=flow)
    answered = frame["response"]["response"]
    said = '{"said":"a"}'
    assert answered["agents_trace"] == [
        step(first, "a", {"said": "a"}),
        step(last, said, {"response": said * 2, "x": 1}),
        step(first, said * 2, {"said": said * 2}),
    ]
    assert answered["response"] == '{"said":"{\\"said\\":\\"a\\"}{\\"said\\":\\"a\\"}"}'
    assert frame["response"]["execution_time"] == pytest.approx(0.3)


async def test_an_empty_answer_is_a_sentence(place: System, asker: User) -> None:
    async with agent_that(place, asker, saying(lambda _: "")) as (_, agent):
        frame = await ask(place, asker, asked_id=agent["id"])
    assert frame["response"]["response"]["response"] == "The agent gave an empty answer."


async def test_what_an_agent_logs_that_is_asked_itself_is_stored_before_its_answer(
    place: System, asker: User
) -> None:
    async with agent_that(place, asker) as (visitor, agent):

        async def work() -> None:
            call = await visitor.next_invocation()
            await visitor.say(log_frame("at work", *call["request_metadata"].values()))
            await visitor.say(answer_to(call, "done"))

        async with asker.chat(session_id := str(uuid4())) as chat:
            insert_request(place, asker, session_id, "hello", asked_id=agent["id"])
            await work()
            frames = [await chat.receive(), await chat.receive()]
    assert [frame["type"] for frame in frames] == ["agent_log", "agent_response"]
    [log] = select_logs(place, session_id)
    assert (log["message"], log["agent_id"]) == ("at work", agent["id"])


async def test_who_is_not_there_is_not_asked(place: System, asker: User) -> None:
    away = await asker.register_agent("away")
    frame = await ask(place, asker, asked_id=away["id"])
    assert reason_of(frame) == (
        f"The agent {away['alias']} is not connected, please try again later"
    )


async def test_an_agent_that_has_left_unheard_is_not_connected(place: System, asker: User) -> None:
    away = await asker.register_agent("away")
    execute(
        place,
        "UPDATE agents SET is_active = true, input_parameters = %s WHERE id = %s",
        '{"properties": {"text": {"type": "string"}}}',
        away["id"],
    )
    frame = await ask(place, asker, asked_id=away["id"])
    assert reason_of(frame).endswith("is not connected, please try again later")
    assert [each["id"] for each in frame["response"]["response"]["agents_trace"]] == [away["id"]]


async def test_nobody_elses_agents_and_flows_are_asked(place: System, asker: User) -> None:
    with run_sql(place.settings) as sql:
        async with (
            insert_user(place, sql) as stranger,
            agent_that(place, stranger, saying(str.upper)) as (visitor, agent),
        ):
            flow = await create_flow(stranger, agent["id"], agent["id"])
            for asked_id in (agent["id"], flow, str(uuid4())):
                assert reason_of(await ask(place, asker, asked_id=asked_id)) == NOBODY
            assert visitor.invocations == []


async def test_a_flow_asks_nobody_unless_all_of_its_members_can_be_asked(
    place: System, asker: User
) -> None:
    away = await asker.register_agent("away")
    async with agent_that(place, asker, saying(str.upper)) as (visitor, agent):
        good = (agent["id"], "genai")
        flow = await create_flow(asker, agent["id"], agent["id"])
        others = {
            f"The agent {away['alias']} is not connected, please try again later": [
                (away["id"], "genai")
            ],
            "An agent of the flow does not exist any more": [(uuid4(), "genai")],
            TOOLS: [(uuid4(), "mcp")],
            TOO_MANY: [good] * ASKED_MEMBERS_LIMIT,
        }
        for reason, members in others.items():
            stored = [{"id": str(id_), "type": type_} for id_, type_ in (good, *members)]
            change = "UPDATE agentworkflows SET flow = %s WHERE id = %s"
            execute(place, change, json.dumps(stored), flow)
            assert reason_of(await ask(place, asker, asked_id=flow)) == reason
        assert visitor.invocations == []


async def test_an_agent_that_takes_no_text_alone_is_not_asked(place: System, asker: User) -> None:
    wants_two = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "copies": {"type": "integer"}},
        "required": ["text", "copies"],
    }
    async with agent_that(place, asker, schema=wants_two) as (visitor, agent):
        reason = reason_of(await ask(place, asker, asked_id=agent["id"]))
        assert reason == f"The agent {agent['alias']} can't be asked itself: it takes no text alone"
        assert visitor.invocations == []


async def test_a_flow_ends_with_the_agent_that_fails_and_shows_what_came_before(
    place: System, asker: User
) -> None:
    async with (
        agent_that(place, asker, saying(str.upper)) as (_, good),
        agent_that(place, asker, failing("the pencil broke")) as (_, bad),
        agent_that(place, asker, saying(str.upper)) as (visitor, last),
    ):
        flow = await create_flow(asker, good["id"], bad["id"], last["id"])
        frame = await ask(place, asker, "a", asked_id=flow)
        assert visitor.invocations == []
    assert reason_of(frame) == f"The agent {bad['alias']} failed: the pencil broke"
    assert frame["response"]["response"]["agents_trace"] == [
        step(good, "a", "A"),
        step(bad, "A", "the pencil broke", is_success=False),
    ]
    [row] = select_requests(place, frame["response"]["session_id"])
    assert row["status"] == "failed"


async def test_an_agent_that_leaves_interrupts_its_request_at_once(
    place: System, asker: User
) -> None:
    async with (
        agent_that(place, asker) as (visitor, agent),
        asker.chat(session_id := str(uuid4())) as chat,
    ):
        insert_request(place, asker, session_id, "hello", asked_id=agent["id"])
        await visitor.next_invocation()
        await visitor.connection.close()
        frame = await chat.receive_answer()
    assert reason_of(frame) == f"The agent {agent['alias']} left before the answer came"
    [row] = select_requests(place, session_id)
    assert row["status"] == "interrupted"


async def test_the_deadline_is_that_of_the_whole_flow(place: System, asker: User) -> None:
    async with (
        agent_that(place, asker, saying(str.upper)) as (_, first),
        agent_that(place, asker) as (_, silent),
    ):
        flow = await create_flow(asker, first["id"], silent["id"])
        frame = await ask(place, asker, "a", asked_id=flow, seconds=2.5)
    assert reason_of(frame) == TIMED_OUT
    trace = frame["response"]["response"]["agents_trace"]
    assert trace == [step(first, "a", "A"), step(silent, "A", None, is_success=False)]
    [row] = select_requests(place, frame["response"]["session_id"])
    assert row["status"] == "timed_out"


async def test_what_is_too_large_for_an_agent_is_not_sent(place: System, asker: User) -> None:
    async with (
        agent_that(place, asker, saying(lambda text: '"' * 300_000)) as (_, first),
        agent_that(place, asker, saying(lambda text: {"response": '"' * 600_000})) as (_, next_),
        agent_that(place, asker, saying(str.upper)) as (visitor, last),
    ):
        flow = await create_flow(asker, first["id"], next_["id"], last["id"])
        frame = await ask(place, asker, "a", asked_id=flow)
        large = await ask(place, asker, '"' * 520_000, asked_id=last["id"])
        assert visitor.invocations == []
    takes = "an agent takes at most 1,008 KB"
    assert reason_of(large) == f"The message can't be sent: {takes}"
    if place.doors:  # which answers of so many bytes don't pass
        assert "libraries take 1,008 KB at most" in reason_of(frame)
    else:
        whose = f"The answer of the agent {next_['alias']}"
        assert reason_of(frame) == f"{whose} can't be sent: {takes}"


async def test_a_cancelled_request_asks_no_further_member(place: System, asker: User) -> None:
    async with (
        agent_that(place, asker) as (slow, first),
        agent_that(place, asker, saying(str.upper)) as (never, last),
    ):
        flow = await create_flow(asker, first["id"], last["id"])
        async with asker.chat(session_id := str(uuid4())) as chat:
            request_id = insert_request(place, asker, session_id, "hello", asked_id=flow)
            call = await slow.next_invocation()
            cancelled = await asker.http.post(f"/api/requests/{request_id}/cancel")
            assert cancelled.is_success, cancelled.text
            reason_of(await chat.receive_answer())
            await until_released(place, asker)
            await slow.say(answer_to(call, "too late"))
            await _asks_again(place, asker, never, last)
    assert [each["request_payload"]["text"] for each in never.invocations] == ["after"]


async def until_released(place: System, asker: User) -> None:
    """Wait until none of this user's requests runs."""

    async def holds() -> bool:
        running = "SELECT FROM requests WHERE status = 'running' AND creator_id = %s"
        return not select(place, running, asker.id)

    await eventually(holds, "no request runs")


async def _asks_again(place: System, asker: User, visitor: Visitor, agent: Json) -> None:
    frame = await ask(place, asker, "after", asked_id=agent["id"])
    assert frame["response"]["response"]["response"] == "AFTER"
    assert visitor.invocations


async def test_who_was_asked_by_a_bridge_that_was_killed_is_not_asked_again(
    running: System, owner: User
) -> None:
    keep_bridges(running, 0)
    running.start_bridge("short_lease")
    await until_heard(running, owner, 10)
    async with agent_that(running, owner) as (visitor, agent):
        async with owner.chat(session_id := str(uuid4())) as chat:
            insert_request(running, owner, session_id, "hello", asked_id=agent["id"])
            await visitor.next_invocation()
            keep_bridges(running, 0)
            keep_bridges(running, 1)
            frame = await chat.receive_answer()
        assert reason_of(frame) == INTERRUPTED
        given = [call["request_payload"] for call in visitor.invocations]
        assert given.count({"text": "hello"}) == 1  # besides what asks whether it is there
    [row] = select_requests(running, session_id)
    assert row["status"] == "interrupted"


async def test_while_the_router_is_away_nobody_is_asked(running: System, owner: User) -> None:
    async with agent_that(running, owner) as (_, agent):
        running.children["router"].kill()
        text = '{"properties": {"text": {"type": "string"}}}'
        execute(
            running,
            "UPDATE agents SET is_active = true, input_parameters = %s WHERE id = %s",
            text,
            agent["id"],
        )
        frame = await ask(running, owner, asked_id=agent["id"])
    assert reason_of(frame) == ROUTER_AWAY


async def test_a_router_that_goes_away_interrupts_who_was_asked(
    running: System, owner: User
) -> None:
    async with (
        agent_that(running, owner) as (visitor, agent),
        owner.chat(session_id := str(uuid4())) as chat,
    ):
        insert_request(running, owner, session_id, "hello", asked_id=agent["id"])
        await visitor.next_invocation()
        running.children["router"].kill()
        frame = await chat.receive_answer()
    assert reason_of(frame) == CONNECTION_LOST
    [row] = select_requests(running, session_id)
    assert row["status"] == "interrupted"


async def test_the_parts_of_an_agent_that_is_asked_itself_are_the_answers(
    place: System, asker: User
) -> None:
    async with (
        agent_that(place, asker) as (visitor, agent),
        asker.chat(session_id := str(uuid4()), protocol=2) as chat,
    ):
        insert_request(place, asker, session_id, "hello", asked_id=agent["id"])
        call = await visitor.next_invocation()
        ids = call["request_metadata"].values()
        await visitor.say(log_frame("half an ", *ids, log_level="delta"))
        part = await chat.receive()
        await visitor.say(answer_to(call, "half an answer"))
        answered = await chat.receive_answer()
    assert (part["type"], part["text"], "agent_id" in part) == ("delta", "half an ", False)
    assert answered["response"]["response"]["response"] == "half an answer"


async def test_the_parts_of_a_flows_members_are_their_own(place: System, asker: User) -> None:
    async with (
        agent_that(place, asker) as (visitor, first),
        agent_that(place, asker, saying(str.upper)) as (_, last),
        asker.chat(session_id := str(uuid4()), protocol=2) as chat,
    ):
        flow = await create_flow(asker, first["id"], last["id"])
        insert_request(place, asker, session_id, "hello", asked_id=flow)
        call = await visitor.next_invocation()
        ids = call["request_metadata"].values()
        await visitor.say(log_frame("a", *ids, log_level="delta"))
        part = await chat.receive()
        await visitor.say(answer_to(call, "a"))
        answered = await chat.receive_answer()
    assert (part["type"], part["text"], part["agent_id"]) == ("delta", "a", first["id"])
    assert answered["response"]["response"]["response"] == "A"
