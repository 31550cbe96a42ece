"""Agents and flows that are asked by REST, and what their callers are told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.agent_bridge.stored import select_requests
from tests.asked import agent_that, answering, create_flow, failing, saying
from tests.end_to_end.doors.visitors import answer_to
from tests.gateway.members import insert_agent, insert_tool
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User

TWO: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
    "required": ["city", "day"],
}


async def invoke(user: User, id_: str, *, kind: str = "agents", **given: Any) -> httpx2.Response:
    """What an agent or a flow answers to a body of these fields; `wait` goes into the query."""
    query = {"wait": given.pop("wait")} if "wait" in given else None
    return await user.http.post(f"/api/{kind}/{id_}/invoke", params=query, json=given)


async def chats(user: User, **query: str) -> list[str]:
    """The sessions that are listed."""
    listed = (await user.http.get("/api/chats", params=query)).json()["chats"]
    return [each["session_id"] for each in listed]


@pytest.fixture
async def sealer(system: System, user: User) -> AsyncIterator[Json]:
    """An agent that seals texts."""
    async with agent_that(system, user, saying(lambda text: f"sealed: {text}")) as (_, agent):
        yield agent


async def test_the_answer_has_all_that_a_request_is_answered_with(user: User, sealer: Json) -> None:
    answer = await invoke(user, sealer["id"], message="žluť")
    assert answer.status_code == 200
    told = answer.json()
    [step] = told["response"]["agents_trace"]
    assert (step["id"], step["input"], step["output"]) == (
        sealer["id"],
        {"text": "žluť"},
        "sealed: žluť",
    )
    assert told == {
        "is_success": True,
        "execution_time": 0.1,
        "response": {"agents_trace": [step], "response": "sealed: žluť", "is_success": True},
        "request_id": told["request_id"],
        "session_id": told["session_id"],
        "files": [],
    }
    [question, _] = await user.history(told["session_id"])
    assert (question["request_id"], question["content"]) == (told["request_id"], "žluť")


async def test_a_flow_answers_with_what_its_last_agent_says(user: User, sealer: Json) -> None:
    flow = await create_flow(user, sealer["id"], sealer["id"])
    told = (await invoke(user, flow, kind="agentflows", message="a")).json()
    assert told["response"]["response"] == "sealed: sealed: a"
    assert len(told["response"]["agents_trace"]) == 2


async def test_arguments_are_of_the_first_agent_and_need_no_place_for_a_text(
    system: System, user: User, sealer: Json
) -> None:
    given: Json = {"city": "Kyiv", "day": None, "more": [1, {"a": 0.5}]}
    async with agent_that(system, user, answering("sunny"), TWO) as (visitor, agent):
        flow = await create_flow(user, agent["id"], sealer["id"])
        for id_, kind, text in (
            (agent["id"], "agents", "sunny"),
            (flow, "agentflows", "sealed: sunny"),
        ):
            answer = await invoke(user, id_, kind=kind, arguments=given)
            told = answer.json()["response"]
            assert (answer.status_code, told["response"]) == (200, text)
            assert told["agents_trace"][0]["input"] == given
            assert visitor.invocations[-1]["request_payload"] == given
        for wrong, says in (
            ({"message": "Kyiv"}, f"The agent {agent['alias']} can't be asked itself"),
            ({"arguments": {"city": "Kyiv"}}, f"The agent {agent['alias']} requires 'day'"),
            ({}, "Either 'message' or 'arguments' must be given"),
            ({"message": "Kyiv", "arguments": given}, "Either 'message' or 'arguments'"),
        ):
            refused = await invoke(user, agent["id"], **wrong)
            assert refused.status_code == 400
            assert refused.json()["detail"].startswith(says)


async def test_who_does_not_wait_is_told_where_the_answer_will_be(
    system: System, user: User
) -> None:
    async with agent_that(system, user) as (visitor, agent):
        answer = await invoke(user, agent["id"], message="hello", wait=0)
        assert answer.status_code == 202
        told, where = answer.json(), answer.headers["location"]
        assert where == f"/api/requests/{told['request_id']}/answer"
        assert (told["message_id"], told["seq"]) == (None, 0)
        call = await visitor.next_invocation()
        open_ = await user.http.get(where, params={"wait": 0.05})
        assert (open_.status_code, open_.json()) == (202, told)
        waiting = asyncio.create_task(user.http.get(where))
        await visitor.say(answer_to(call, "done"))
        answered = await waiting
        assert (answered.status_code, answered.json()["response"]["response"]) == (200, "done")
        again = await user.http.get(where, params={"wait": 0})
        assert (again.status_code, again.json()) == (200, answered.json())
        read = (await user.http.get(f"/api/requests/{told['request_id']}")).json()
        assert (read["status"], read["session_id"]) == ("answered", told["session_id"])


async def test_what_is_asked_goes_on_when_its_caller_hangs_up(system: System, user: User) -> None:
    async with agent_that(system, user) as (visitor, agent):
        session_id = str(uuid4())
        given = {"message": "hello", "session_id": session_id}
        calling = asyncio.create_task(invoke(user, agent["id"], **given))
        call = await visitor.next_invocation()
        calling.cancel()
        await asyncio.wait({calling})
        await visitor.say(answer_to(call, "done"))
        [request] = select_requests(system, session_id)
        answered = await user.http.get(f"/api/requests/{request['id']}/answer")
        assert answered.json()["response"]["response"] == "done"


async def test_the_same_message_again_asks_nobody_again(
    system: System, user: User, sealer: Json
) -> None:
    for session in ({}, {"session_id": str(uuid4())}):
        given = {"message": "hello", "message_id": str(uuid4()), **session}
        first, second = [await invoke(user, sealer["id"], **given) for _ in range(2)]
        assert first.status_code == second.status_code == 200
        assert first.json() == second.json()
        at_once = await invoke(user, sealer["id"], **given, wait=0)
        assert at_once.json() == first.json()
        assert len(select_requests(system, first.json()["session_id"])) == 1


async def test_a_session_of_its_own_is_not_listed_and_one_that_is_named_goes_on(
    user: User, sealer: Json
) -> None:
    own = (await invoke(user, sealer["id"], message="a")).json()["session_id"]
    assert await chats(user) == []
    assert await chats(user, include_unlisted="true") == [own]
    named = str(uuid4())
    for text in ("a", "b"):
        told = (await invoke(user, sealer["id"], message=text, session_id=named)).json()
        assert told["session_id"] == named
    assert await chats(user) == [named]
    history = [each["content"] for each in await user.history(named)]
    assert (history[0], history[2]) == ("a", "b")


async def test_a_session_of_another_user_is_refused(
    user: User, other_user: User, sealer: Json
) -> None:
    theirs = str(uuid4())
    await other_user.http.post("/api/chats", json={"session_id": theirs, "title": "theirs"})
    refused = await invoke(user, sealer["id"], message="a", session_id=theirs)
    assert refused.status_code == 400
    assert refused.json() == {"detail": "This session belongs to another user."}


@pytest.mark.parametrize("kind", ["agents", "agentflows"])
async def test_who_is_nobodys_or_another_users_is_unknown(
    user: User, other_user: User, sealer: Json, kind: str
) -> None:
    flow = await create_flow(user, sealer["id"], sealer["id"])
    theirs = sealer["id"] if kind == "agents" else flow
    for id_ in (str(uuid4()), theirs):
        refused = await invoke(other_user, id_, kind=kind, message="a")
        assert refused.status_code == 404
        says = f"There is no agent or flow with the id '{id_}'"
        assert refused.json() == {"detail": says}


async def test_who_is_away_or_can_not_be_asked_is_not_asked(
    user: User, sql: Sql, sealer: Json
) -> None:
    away = await user.register_agent("away")
    member, tool = insert_agent(sql, user.id), insert_tool(sql, user.id)
    flow = await user.http.post(
        "/api/agentflows/register",
        json={"name": "mixed", "description": "d", "flow": [member, tool]},
    )
    for id_, kind, status, says in (
        (away["id"], "agents", 409, "is not connected, please try again later"),
        (member["id"], "agents", 400, "can't be asked itself: it takes no text alone"),
        (flow.json()["id"], "agentflows", 400, "only the master agent can call all of its members"),
    ):
        refused = await invoke(user, id_, kind=kind, message="a")
        assert refused.status_code == status, refused.text
        assert refused.json()["detail"].endswith(says)
    assert sql("SELECT FROM requests WHERE creator_id = %s", user.id) == []


async def test_a_failure_says_why_and_what_was_done(system: System, user: User) -> None:
    async with agent_that(system, user, failing("the wax is cold")) as (_, agent):
        failed = await invoke(user, agent["id"], message="a")
    assert failed.status_code == 502
    told = failed.json()
    assert told["detail"] == f"The agent {agent['alias']} failed: the wax is cold"
    assert told["response"]["response"] == told["detail"]
    assert told["is_success"] is False
    [step] = told["response"]["agents_trace"]
    assert (step["output"], step["is_success"]) == ("the wax is cold", False)


async def test_what_is_cancelled_meanwhile_is_told(system: System, user: User) -> None:
    async with agent_that(system, user) as (visitor, agent):
        told = (await invoke(user, agent["id"], message="a", wait=0)).json()
        await visitor.next_invocation()
        where = f"/api/requests/{told['request_id']}"
        waiting = asyncio.create_task(user.http.get(f"{where}/answer"))
        await user.http.post(f"{where}/cancel")
        cancelled = await waiting
    assert (cancelled.status_code, cancelled.json()["is_success"]) == (409, False)
    assert cancelled.json()["detail"] == cancelled.json()["response"]["response"]


async def test_an_answer_that_is_no_more_is_gone(user: User, sql: Sql, sealer: Json) -> None:
    told = (await invoke(user, sealer["id"], message="a")).json()
    where = f"/api/requests/{told['request_id']}/answer"
    sql("DELETE FROM chatmessages WHERE conversation_id = %s", told["session_id"])
    gone = await user.http.get(where)
    assert (gone.status_code, gone.json()) == (410, {"detail": "The answer is kept no longer"})
    await user.http.delete("/api/chat", params={"session_id": told["session_id"]})
    gone = await user.http.get(where)
    says = f"Request with id '{told['request_id']}' does not exist"
    assert (gone.status_code, gone.json()) == (400, {"detail": says})


@pytest.mark.parametrize("wait", ["-1", "601", "nan", "soon"])
async def test_waiting_is_bounded(user: User, wait: str) -> None:
    refused = await invoke(user, str(uuid4()), message="a", wait=wait)
    assert refused.status_code == 422
