"""The lines that the console shows connect an agent, as they are."""

import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agents.running import Generation, run_written_agent
from tests.console.people import OpenConsole, Person
from tests.system import System
from tests.users import User, register_user


@pytest.fixture(scope="module")
def told_system(module_system: System) -> System:
    """A gateway that knows where agents connect."""
    module_system.start_gateway(AGENTS_URL=module_system.router_url)
    module_system.start_bridge()
    return module_system


@pytest.fixture
async def person(open_console: OpenConsole, told_system: System) -> AsyncIterator[Person]:
    async with (
        register_user(told_system.gateway) as user,
        open_console(user, "agents/new", told_system.gateway) as person,
    ):
        await person.click("Register")
        await person.see("Waiting for the agent …")
        yield person


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_of_either_generation_is_pasted_and_is_there(
    person: Person, told_system: System, generation: Generation, tmp_path: Path
) -> None:
    await person.click(f"genai-protocol {generation}", role="tab")
    _, code, start = await person.page.locator(".agents-lines-part pre").all_inner_texts()
    exports = [shlex.split(line) for line in start.splitlines() if line.startswith("export ")]
    variables = dict(words[1].split("=", 1) for words in exports)
    assert variables["ROUTER_WS_URL"] == told_system.router_url
    script = tmp_path / "agent.py"
    script.write_text(code)
    with run_written_agent(told_system, generation, script, **variables):
        await person.see("dice is connected")
        await person.click("Ask it", role="link")
        await person.page.locator("[name=sides]").fill("1")
        await person.click("Ask")
        await person.see("You rolled 1 of 1.")


async def test_where_agents_connect_is_a_guess_where_nobody_says_it(
    open_console: OpenConsole, user: User
) -> None:
    async with open_console(user, "agents/new") as person:
        await person.click("Register")
        await person.see("the address below is a guess")
