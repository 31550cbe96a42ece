"""The local stack's master agent and sample agent, which come through a door."""

import asyncio
import os
import sys

from devstack.processes import start_child, stopping
from tests.agents.running import run_master_agent
from tests.end_to_end.doors.visitors import until_active
from tests.system import PROJECT, System
from tests.users import Json, User

QUESTIONS = 40
CITIES = ("Kyiv", "Tokyo", "San Francisco", "São Paulo")


async def _ask(user: User, city: str) -> list[Json]:
    """All frames of a chat of its own."""
    async with user.chat() as chat:
        await chat.send(f"What is the time in {city} now?")
        frames = [await chat.receive()]
        while frames[-1]["type"] != "agent_response":
            frames.append(await chat.receive())
        return frames


async def test_questions_at_once_to_one_agent_get_each_its_own_answer_and_logs(
    user: User, system: System
) -> None:
    registered = await user.register_agent()
    environment = {
        **os.environ,
        "AGENT_JWT_TOKEN": registered["jwt"],
        "ROUTER_WS_URL": system.doors[0],
        "GATEWAY_URL": system.gateway,
    }
    cities = [CITIES[number % len(CITIES)] for number in range(QUESTIONS)]
    agent = start_child(
        "sample agent",
        [sys.executable, "-W", "error", "-m", "devstack.sample_agent"],
        system.folder / "sample_agent.log",
        environment=environment,
        folder=PROJECT,
    )
    with stopping(agent), run_master_agent(system, "enriched"):
        await until_active(user, registered["id"], is_active=True)
        for city, frames in zip(
            cities, await asyncio.gather(*(_ask(user, city) for city in cities)), strict=True
        ):
            answer = frames[-1]["response"]["response"]
            assert answer["response"].startswith(f"In {city} it is ")
            [call] = answer["agents_trace"]
            assert call["input"] == {"city": city}
            *before, answered = (frame["log"] for frame in frames[:-1])
            masters = [log["message"] for log in before if log["agent_id"] != registered["id"]]
            looking, calling = masters
            assert looking.startswith("Looking for an agent")
            assert looking.endswith(f"{city} now?")
            assert calling == f'Calling {call["name"]} with {{"city": "{city}"}}'
            # At another bridge, so before or after those of whoever calls it.
            others = [log["message"] for log in before if log["agent_id"] == registered["id"]]
            assert others == [f"Looking up the time zone of {city}"]
            assert answered["message"].startswith(f"{call['name']} answered in")
