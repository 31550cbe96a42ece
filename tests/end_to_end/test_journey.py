"""From registering to the answer of one's own agent, with every part a process of its own."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import frozen

from agent_bridge.router.frames import MASTER_SERVER_ML
from tests.agents.running import (
    AGENT_DESCRIPTION,
    AGENT_NAME,
    CALLING_LOGS,
    SEALING_LOGS,
    Contract,
    Generation,
    run_agent,
    run_master_agent,
)
from tests.system import System
from tests.users import Chat, Json, User, eventually, register_user


@frozen
class Journey:
    """What a user saw on the way."""

    user_id: str
    session_id: str
    text: str
    seal: str
    registered: Json
    connected: Json
    connections: Json
    frames: list[Json]
    history: list[Json]
    logs_of_session: list[Json]
    logs_of_request: list[Json]
    left: Json

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return str(self.registered["id"])

    @property
    def logs(self) -> list[Json]:
        """The entries that came live."""
        return [frame["log"] for frame in self.frames if frame["type"] == "agent_log"]

    @property
    def answer(self) -> Json:
        """The only answer that came."""
        [frame] = [frame for frame in self.frames if frame["type"] == "agent_response"]
        return frame


@frozen
class Parties:
    """The generation of the agent, the contract of the master agent, and where both connect."""

    generation: Generation
    contract: Contract = "enriched"
    system: str = "system"


@pytest.fixture(
    scope="module",
    params=[
        Parties("1.0"),
        Parties("2.0"),
        Parties("1.0", "lookup", "module_system"),
        Parties("1.0", system="door_system"),
        Parties("2.0", system="door_system"),
    ],
    ids=["agent 1.0", "agent 2.0", "lookup master", "agent 1.0, door", "agent 2.0, door"],
)
def parties(request: pytest.FixtureRequest) -> Parties:
    """Who travels."""
    parties: Parties = request.param
    return parties


@pytest.fixture(scope="module")
def installation(request: pytest.FixtureRequest, parties: Parties) -> Iterator[System]:
    """A system whose bridge chooses the contract; one that meets `lookup` remembers it."""
    if parties.contract == "enriched":
        yield request.getfixturevalue(parties.system)
        return
    system: System = request.getfixturevalue("module_system")
    system.start_gateway()
    system.start_bridge(MASTER_AGENT_CONTRACT="auto")
    yield system


@pytest.fixture(scope="module")
async def journey(anyio_backend: str, installation: System, parties: Parties) -> Journey:
    """Register, chat with an agent of one's own, and look at what is left of it."""
    with run_master_agent(installation, parties.contract):
        async with register_user(installation.gateway) as user:
            await user.create_config()
            return await _travel(installation, parties.generation, user)


async def _travel(system: System, generation: Generation, user: User) -> Journey:
    text, seal = f"Letter-{uuid4().hex}", uuid4().hex
    registered = await user.register_agent()
    with run_agent(system, generation, registered["jwt"], seal):
        await _until_active(user, registered["id"], is_active=True)
        connected = await user.read_agent(registered["id"])
        connections = await _get(user, "/api/agents/active")
        async with user.chat() as chat:
            frames = await _ask(chat, f"Please seal 3 copies of {text}")
        session_id = chat.session_id
        history = await user.history(session_id)
        request_id = history[0]["request_id"]
        logs_of_session = await _get(user, "/api/logs/list", session_id=session_id)
        logs_of_request = await _get(user, "/api/logs/list", request_id=request_id)
    await _until_active(user, registered["id"], is_active=False)
    return Journey(
        user.id,
        session_id,
        text,
        seal,
        registered,
        connected,
        connections,
        frames,
        history,
        logs_of_session,
        logs_of_request,
        left=await user.read_agent(registered["id"]),
    )


async def _ask(chat: Chat, message: str) -> list[Json]:
    """All that a message leads to; a log entry may come later than the answer."""
    await chat.send(message)
    return [await chat.receive() for _ in range(CALLING_LOGS + SEALING_LOGS + 1)]


async def _until_active(user: User, agent_id: str, *, is_active: bool) -> None:
    async def holds() -> bool:
        return bool((await user.read_agent(agent_id))["is_active"]) is is_active

    await eventually(holds, f"agent {agent_id} has is_active = {is_active}")


async def _get(user: User, path: str, **query: str) -> Any:
    answer = await user.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_agent_is_inactive_until_it_connects_and_after_it_left(journey: Journey) -> None:
    assert journey.connected["is_active"] is True
    assert journey.left["is_active"] is False


def test_an_agent_brings_its_name_and_description(journey: Journey) -> None:
    assert journey.registered["name"] == ""
    assert journey.connected["agent_name"] == AGENT_NAME
    assert journey.connected["agent_description"] == AGENT_DESCRIPTION
    assert journey.connected["agent_alias"].startswith(f"{AGENT_NAME}_")


def test_an_agent_brings_its_schema(journey: Journey) -> None:
    function = journey.connected["agent_schema"]["function"]
    assert function["name"] == AGENT_NAME
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "The text of the letter"},
            "copies": {
                "type": "integer",
                "description": "How many copies are wanted",
                "default": 1,
            },
        },
        "required": ["text"],
    }


def test_a_connected_agent_is_an_active_connection_under_its_alias(journey: Journey) -> None:
    [connection] = journey.connections["active_connections"]
    assert connection["id"] == journey.agent_id
    assert connection["name"] == journey.connected["agent_alias"]
    assert connection["agent_schema"]["function"]["name"] == connection["name"]


def test_the_answer_is_what_the_agent_really_gave(journey: Journey) -> None:
    given = journey.answer["response"]["response"]
    assert given["response"] == f"3 x {journey.text}, sealed with {journey.seal}"
    assert given["is_success"] is True
    assert journey.answer["response"]["is_success"] is True


def test_the_answer_names_the_agent_that_was_called(journey: Journey) -> None:
    [step] = journey.answer["response"]["response"]["agents_trace"]
    assert step["id"] == journey.agent_id
    assert step["input"] == {"text": journey.text, "copies": 3}


def test_the_agents_own_log_comes_live(journey: Journey) -> None:
    logs = [log for log in journey.logs if log["agent_id"] == journey.agent_id]
    assert len(logs) == SEALING_LOGS
    levels = {log["message"]: log["log_level"] for log in logs}
    assert levels[f"Sealing {journey.text}"] == "info"
    assert levels[json.dumps({"sealed": journey.text, "copies": 3})] == "warning"


def test_the_master_agents_log_comes_live(journey: Journey) -> None:
    logs = [log for log in journey.logs if log["agent_id"] == MASTER_SERVER_ML]
    assert len(logs) == CALLING_LOGS
    assert journey.connected["agent_alias"] in logs[1]["message"]


def test_each_log_entry_is_the_users_and_of_this_request(journey: Journey) -> None:
    request_id = journey.answer["response"]["request_id"]
    assert UUID(request_id)
    assert {log["creator_id"] for log in journey.logs} == {journey.user_id}
    assert {log["session_id"] for log in journey.logs} == {journey.session_id}
    assert {log["request_id"] for log in journey.logs} == {request_id}


def test_frames_are_numbered_in_their_order(journey: Journey) -> None:
    assert [frame["seq"] for frame in journey.frames] == [
        *range(1, CALLING_LOGS + SEALING_LOGS + 2)
    ]


def test_the_history_holds_the_question_and_the_answer(journey: Journey) -> None:
    question, answer = journey.history
    assert question["sender_type"] == "user"
    assert question["content"] == f"Please seal 3 copies of {journey.text}"
    assert answer["sender_type"] == "master_agent"
    assert json.loads(answer["content"]) == journey.answer["response"]["response"]
    assert question["request_id"] == answer["request_id"]


def test_the_logs_of_the_session_are_those_that_came_live(journey: Journey) -> None:
    assert journey.logs_of_session == journey.logs


def test_the_logs_of_the_request_are_those_that_came_live(journey: Journey) -> None:
    assert journey.logs_of_request == journey.logs
