"""What agents get when they use all that `genai-protocol` offers, in both generations."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import unquote

import pytest
from attrs import frozen
from websockets.asyncio.client import connect

from tests.agents.running import Generation, run_clerk, run_clerk_here
from tests.master import Invocation, answer, run_master
from tests.system import ML_KEY, System
from tests.users import Json, User, eventually, register_user

GENERATIONS: tuple[Generation, Generation] = ("1.0", "2.0")
LEVELS = ["debug", "info", "warning", "error", "critical"]
OWN_LOGS = len(LEVELS) + 2  # of a task: one at each level, and two of the library
COLLEAGUES_LOGS = {"1.0": 2, "2.0": 4}  # two of the library for each call, the failed one too


@frozen
class Work:
    """What an agent reports of a task, and what the user sees of it."""

    generation: Generation
    agent_id: str
    colleague_id: str
    report: Json
    frame: Json
    logs: list[Json]


@frozen
class Office:
    """A user's two agents, one of each generation, and all that they did."""

    agents: list[Json]
    active: Json
    works: dict[str, Work]
    here: Json
    file_of_here: Json


@pytest.fixture(scope="module", params=["system", "door_system"])
def installation(request: pytest.FixtureRequest) -> System:
    """Where agents connect to the router, and where they come through a door."""
    installation: System = request.getfixturevalue(request.param)
    return installation


@pytest.fixture(scope="module")
async def office(anyio_backend: str, installation: System) -> AsyncIterator[Office]:
    """Each agent does everything: in a chat, and the second generation without a connection too."""
    system = installation
    async with AsyncExitStack() as stack:
        user = await stack.enter_async_context(register_user(system.gateway))
        await user.create_config()
        registered = {each: await user.register_agent() for each in GENERATIONS}
        for generation, agent in registered.items():
            stack.enter_context(run_clerk(system, generation, agent["jwt"]))
        await _until_active(user, *registered.values())
        first, second = (agent["id"] for agent in registered.values())
        works = {
            "1.0": await _work(system, user, "1.0", first, second),
            "2.0": await _work(system, user, "2.0", second, first),
        }
        response = works["2.0"].frame["response"]
        ids = (response["request_id"], response["session_id"], first)
        token = registered["2.0"]["jwt"]
        here = await asyncio.to_thread(run_clerk_here, system, token, *ids)
        yield Office(
            (await user.http.get("/api/agents")).json(),
            (await user.http.get("/api/agents/active")).json(),
            works,
            here,
            await _metadata(user, here["response"]["file"]["id"]),
        )


async def _until_active(user: User, *agents: Json) -> None:
    async def holds() -> bool:
        return all([(await user.read_agent(each["id"]))["is_active"] for each in agents])

    await eventually(holds, "both agents are active", 20)


async def _metadata(user: User, file_id: str) -> Json:
    metadata: Json = (await user.http.get(f"/files/{file_id}/metadata")).json()
    return metadata


async def _work(
    system: System, user: User, generation: Generation, agent_id: str, colleague_id: str
) -> Work:
    """Have the master agent call the agent in answer to a message."""
    # An agent of the second generation ends itself after it has failed.
    task = "everything" if generation == "2.0" else "all but a failure"
    frames: list[Json] = []

    async def behave(invocation: Invocation) -> object:
        frames.append(await _invoke(system, invocation, agent_id, task, colleague_id))
        return answer("done")

    async with (
        run_master(system.router_url, behave, door_url=system.agents_url),
        user.chat() as chat,
    ):
        frame = await chat.ask("work")
        [invoked] = frames
        assert invoked["message_type"] == "agent_response", invoked
        logs = await _read_logs(user, chat.session_id, OWN_LOGS + COLLEAGUES_LOGS[generation])
    return Work(generation, agent_id, colleague_id, invoked["response"], frame, logs)


async def _invoke(
    system: System, invocation: Invocation, agent_id: str, task: str, colleague_id: str
) -> Json:
    """What an agent answers the master agent."""
    key = {"x-custom-invoke-key": f"{ML_KEY}:{agent_id}"}
    ids = {"request_id": invocation.request_id, "session_id": invocation.session_id}
    frame = {
        "message_type": "agent_invoke",
        "agent_uuid": agent_id,
        "request_payload": {"task": task, "colleague": colleague_id},
        "request_metadata": ids,
    }
    async with connect(system.agents_url, additional_headers=key) as lane:
        await lane.send(json.dumps(frame))
        answered: Json = json.loads(await lane.recv())
    return answered


async def _read_logs(user: User, session_id: str, number: int) -> list[Json]:
    """The log entries of a chat; some may come later than the answer."""
    logs: list[Json] = []

    async def are_there() -> bool:
        logs[:] = (await user.http.get(f"/api/logs/list?session_id={session_id}")).json()
        return len(logs) >= number

    await eventually(are_there, f"{number} log entries")
    return logs


@pytest.fixture(params=GENERATIONS)
def work(office: Office, request: pytest.FixtureRequest) -> Work:
    """What an agent of either generation did."""
    generation: Generation = request.param
    return office.works[generation]


def test_an_agent_knows_which_request_it_works_on(work: Work) -> None:
    response = work.frame["response"]
    assert work.report["ids"] == [work.agent_id, response["request_id"], response["session_id"]]


def _as_seen_by(work: Work, agents: list[Json]) -> list[Json]:
    """The agents of its creator with no token but its own."""
    return [
        each if each["agent_id"] == work.agent_id else {**each, "agent_jwt": ""} for each in agents
    ]


def test_an_agent_lists_its_creators_agents(office: Office, work: Work) -> None:
    assert work.report["agents"] == _as_seen_by(work, office.agents)
    ids = [agent["agent_id"] for agent in office.agents]
    assert ids == [office.works[each].agent_id for each in GENERATIONS]


def test_the_first_generation_lists_what_may_be_called(office: Office) -> None:
    assert office.works["1.0"].report["active"] == office.active
    assert office.active["count_active_connections"] == 2


def test_the_second_generation_fails_to_ask_for_active_agents_by_itself(office: Office) -> None:
    # It gives aiohttp a boolean as a parameter, which that takes for a mistake: nothing is sent.
    assert office.works["2.0"].report["active"].startswith("TypeError: Invalid variable type")


def test_what_the_second_generation_means_to_ask_for_is_answered(
    office: Office, work: Work
) -> None:
    assert work.report["meant"] == _as_seen_by(work, office.agents)


def test_an_agent_saves_a_file_for_the_request_and_reads_it(work: Work) -> None:
    file, response = work.report["file"], work.frame["response"]
    metadata = file["metadata"]
    assert file["content"] == "žluť"
    assert unquote(metadata["original_name"]) == "note to you.txt"
    assert (metadata["mimetype"], metadata["from_agent"]) == ("text/plain", True)
    assert metadata["session_id"] == response["session_id"]
    assert response["files"] == [metadata]
    assert metadata["id"] == file["id"]


def test_a_file_that_is_not_there_is_told_to_an_agent(work: Work) -> None:
    for told in (work.report["no file"], work.report["no metadata"]):
        assert told.startswith("FileNotFoundException")
        assert "400" in told


def test_an_agent_logs_at_every_level(work: Work) -> None:
    own = [log for log in work.logs if log["agent_id"] == work.agent_id]
    words = {log["log_level"] for log in own if log["message"] == f"a word of {log['log_level']}"}
    assert words == set(LEVELS)
    assert len(own) == OWN_LOGS


def test_an_agent_calls_an_agent_of_the_other_generation(work: Work) -> None:
    greeting = {"is_success": True, "response": f"greetings from {work.colleague_id}"}
    assert work.report["greeting"] == greeting


def test_what_a_called_agent_logs_is_of_the_same_chat(work: Work) -> None:
    colleagues = [log for log in work.logs if log["agent_id"] == work.colleague_id]
    assert len(colleagues) == COLLEAGUES_LOGS[work.generation]
    assert {log["request_id"] for log in work.logs} == {work.frame["response"]["request_id"]}


def test_an_agent_is_told_that_another_is_not_there(work: Work) -> None:
    assert work.report["absence"] == {"is_success": False, "response": "Agent is NOT active"}


def test_an_agent_is_told_that_another_failed(office: Office) -> None:
    failure = office.works["2.0"].report["failure"]
    assert failure == {"is_success": False, "response": "the clerk has broken his pencil"}


def test_calls_between_agents_deactivate_nobody(office: Office) -> None:
    assert [agent["is_active"] for agent in office.agents] == [True, True]


def test_the_second_generation_works_without_a_connection(office: Office) -> None:
    report, work = office.here["response"], office.works["2.0"]
    assert {**report, "file": None} == {**work.report, "file": None}
    assert report["file"]["content"] == "žluť"
    assert report["file"]["metadata"] == office.file_of_here
    assert [log["level"] for log in office.here["logs"]] == LEVELS
    assert office.here["agent"]["name"] == "Clerk"
