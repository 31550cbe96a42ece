"""The lines of the page on streaming, in master agents on both generations of the library."""

import re
from pathlib import Path

import pytest

from tests.agents.running import Generation, run_written_master
from tests.end_to_end.pages import read_blocks
from tests.system import System
from tests.users import Json, User, eventually, register_user

PAGE = "docs/how-to/stream-answers.md"
SESSIONS: dict[Generation, str] = {
    "1.0": """import os

session = GenAISession(os.environ["ROUTER_WS_URL"], api_key=os.environ["MASTER_AGENT_API_KEY"])
""",
    "2.0": """import os


class MasterSession(GenAISession):
    headers = {"API-KEY": os.environ["MASTER_AGENT_API_KEY"]}


session = MasterSession()
""",
}
SIGNATURE = "(agent_context, message, agents, configs, files):\n    hero = message"
ANSWER = '{"agents_trace": [], "response": "".join(words), "is_success": True}'


def _write(generation: Generation) -> str:
    """The page's agent as a master agent: who asks, what it is given and what it answers differ."""
    text = read_blocks(PAGE)[0].text
    for pattern, put in (
        (r"session = .*\n", SESSIONS[generation]),
        (r"\(agent_context, .*:$", SIGNATURE),
        (r"(?<=return ).*$", ANSWER),
    ):
        [found] = re.findall(pattern, text, re.MULTILINE)
        text = text.replace(found, put)
    return text


@pytest.mark.parametrize("generation", SESSIONS)
async def test_a_master_agent_is_heard_while_it_speaks(
    module_system: System, generation: Generation, tmp_path: Path
) -> None:
    if not module_system.gateways:
        module_system.start_gateway()
        module_system.start_door()
    (script := tmp_path / "master.py").write_text(_write(generation))
    frames: list[Json] = []
    async with register_user(module_system.gateway) as user:
        await user.create_config()

        async def is_answered() -> bool:
            frames[:] = await _ask(user)
            return bool(frames[-1]["response"]["is_success"])

        with run_written_master(module_system, generation, script):
            await eventually(is_answered, "the master agent is connected", 20)
    story = frames[-1]["response"]["response"]["response"]
    parts = [each for each in frames if each["type"] == "delta"]
    assert "".join(each["text"] for each in parts) == story
    assert len(parts) > 2
    assert not any("agent_id" in each for each in parts)
    logged = [each.get("log", {}).get("message") for each in frames]
    assert logged.index("Thinking of Reynard") < frames.index(parts[-1])


async def _ask(user: User) -> list[Json]:
    """All frames up to the answer."""
    async with user.chat(protocol=2) as chat:
        await chat.send("Reynard")
        frames = [await chat.receive()]
        while frames[-1]["type"] != "agent_response":
            frames.append(await chat.receive())
    return frames
