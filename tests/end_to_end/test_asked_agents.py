"""Real agents of both generations that are asked themselves, alone and as a flow."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
from attrs import frozen

from shared.domain.asked import NOBODY
from tests.agents.running import SEALING_LOGS, Generation, run_agent, run_clerk
from tests.asked import ask, create_flow
from tests.system import System
from tests.users import Json, User, eventually, register_user

GENERATIONS: tuple[Generation, Generation] = ("1.0", "2.0")


@frozen
class Office:
    """A user's agents that seal letters, one of each generation; the seal is its number."""

    system: System
    user: User
    agents: dict[Generation, Json]


@pytest.fixture(scope="module", params=["system", "door_system"])
def installation(request: pytest.FixtureRequest) -> System:
    """Where agents connect to the router, and where they come through a door."""
    installation: System = request.getfixturevalue(request.param)
    return installation


@pytest.fixture(scope="module")
async def office(anyio_backend: str, installation: System) -> AsyncIterator[Office]:
    """Nobody has a model config, and no master agent is connected."""
    async with register_user(installation.gateway) as user:
        agents = {each: await user.register_agent() for each in GENERATIONS}
        with ExitStack() as stack:
            for each, agent in agents.items():
                stack.enter_context(run_agent(installation, each, agent["jwt"], f"seal {each}"))
            await _until_active(user, *agents.values())
            yield Office(installation, user, agents)


async def _until_active(user: User, *agents: Json) -> None:
    async def holds() -> bool:
        return all([(await user.read_agent(each["id"]))["is_active"] for each in agents])

    await eventually(holds, "the agents are active", 20)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_an_agent_answers_who_asks_it_itself(office: Office, generation: Generation) -> None:
    agent = office.agents[generation]
    frame = await ask(office.system, office.user, "Dear Jo", asked_id=agent["id"])
    answered = frame["response"]["response"]
    sealed = f"1 x Dear Jo, sealed with seal {generation}"
    assert (answered["response"], answered["is_success"]) == (sealed, True)
    [step] = answered["agents_trace"]
    alias = (await office.user.read_agent(agent["id"]))["agent_alias"]
    assert (step["id"], step["name"]) == (agent["id"], alias)
    assert (step["input"], step["output"]) == ({"text": "Dear Jo"}, sealed)
    assert step["execution_time"] == frame["response"]["execution_time"] > 0


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_it_logs_is_of_the_users_chat(office: Office, generation: Generation) -> None:
    agent = office.agents[generation]
    frame = await ask(office.system, office.user, "Dear Jo", asked_id=agent["id"])
    query = {"request_id": frame["response"]["request_id"]}
    logs: list[Json] = []

    async def are_there() -> bool:
        logs[:] = (await office.user.http.get("/api/logs/list", params=query)).json()
        return len(logs) >= SEALING_LOGS

    await eventually(are_there, "its log entries; some may come later than the answer")
    assert {log["agent_id"] for log in logs} == {agent["id"]}
    assert "Sealing Dear Jo" in {log["message"] for log in logs}


async def test_a_flow_of_both_generations_seals_twice(office: Office) -> None:
    ids = [office.agents[each]["id"] for each in GENERATIONS]
    flow = await create_flow(office.user, *ids)
    frame = await ask(office.system, office.user, "Dear Jo", asked_id=flow)
    answered = frame["response"]["response"]
    once = "1 x Dear Jo, sealed with seal 1.0"
    assert answered["response"] == f"1 x {once}, sealed with seal 2.0"
    assert [(each["id"], each["input"]["text"]) for each in answered["agents_trace"]] == [
        (ids[0], "Dear Jo"),
        (ids[1], once),
    ]


async def test_another_user_asks_none_of_them(office: Office) -> None:
    async with register_user(office.system.gateway) as stranger:
        for agent in office.agents.values():
            frame = await ask(office.system, stranger, asked_id=agent["id"])
            assert frame["error"] == NOBODY


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_an_agent_that_fails_says_why(office: Office, generation: Generation) -> None:
    agent = await office.user.register_agent()
    with run_clerk(office.system, generation, agent["jwt"]):
        await _until_active(office.user, agent)
        frame = await ask(office.system, office.user, "fail", asked_id=agent["id"])
    [step] = frame["response"]["response"]["agents_trace"]
    assert frame["error"] == f"The agent {step['name']} failed: the clerk has broken his pencil"
    assert (step["is_success"], step["output"]) == (False, "the clerk has broken his pencil")
