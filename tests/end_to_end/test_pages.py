"""The pages for users: their lines are typed, their files saved, and what they say happens."""

import importlib.util
import json
import re
import subprocess
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from attrs import evolve

from devstack.run import DEFAULTS
from tests.agents.running import Generation, run_master_agent
from tests.end_to_end.pages import INSTALLED, Block, Reader, read_along, read_blocks
from tests.system import PROJECT, System
from tests.users import PASSWORD, Json, User, eventually, register_user

README = "README.md"
TUTORIAL = "docs/tutorial/first-agent.md"
API_KEYS = "docs/how-to/api-keys.md"
CONNECT = "docs/how-to/connect-an-agent.md"
STREAM = "docs/how-to/stream-answers.md"
FRONT_ENDS = "docs/how-to/front-ends.md"
REAL_PARTS = "docs/how-to/real-parts.md"
ENVIRONMENTS = {
    "genai-protocol>=1.0.9,<1.1": PROJECT / ".venv",
    "genai-protocol>=2.0.3,<2.1": PROJECT / ".venv-genai2",
    "openai>=3.57,<4": PROJECT / ".venv",
}
FIRST, SECOND, OPENAI = ENVIRONMENTS
GENERATIONS: tuple[Generation, Generation] = ("1.0", "2.0")


@pytest.fixture(scope="module")
async def demo(anyio_backend: str, module_system: System) -> AsyncIterator[User]:
    """The demo user of a system as `make run` starts it, but without an agent."""
    module_system.start_gateway()
    module_system.start_door()
    async with AsyncExitStack() as stack:
        stack.enter_context(run_master_agent(module_system, "enriched"))
        user = await stack.enter_async_context(register_user(module_system.gateway, "demo"))
        await user.create_config("demo")
        yield user


@pytest.fixture
async def reader(module_system: System, demo: User, tmp_path: Path) -> AsyncIterator[Reader]:
    """A reader of the pages; whose agents are gone when the next one comes."""
    async with read_along(
        tmp_path,
        secrets={"DEMO_PASSWORD": PASSWORD},
        gateway=module_system.gateway,
        door=module_system.agents_url,
        environments=ENVIRONMENTS,
    ) as reader:
        yield reader
    await _until_active(demo, lambda: 0)


async def _until_active(user: User, number: Callable[[], int]) -> None:
    async def holds() -> bool:
        agents: list[Json] = (await user.http.get("/api/agents")).json()
        return [agent["is_active"] for agent in agents].count(True) == number()

    await eventually(holds, "each agent that runs is active, and no other", 20)


async def _follow(reader: Reader, user: User, blocks: list[Block]) -> str:
    """Do what the blocks say; between them, wait for an agent that was started or ended."""
    printed = ""
    for block in blocks:
        printed += await reader.do(block)
        await _until_active(user, lambda: reader.programs)
    return printed


def _for_generation(blocks: list[Block], generation: Generation) -> list[Block]:
    """Without the installation and the agent of the other generation."""
    other = {"1.0": (SECOND, "GenAISession()"), "2.0": (FIRST, "GenAISession(\n")}[generation]
    return [block for block in blocks if not any(words in block.text for words in other)]


def _readme_for_generation(generation: Generation) -> list[Block]:
    """With the session of the first generation in the file of the second, or without it."""
    *blocks, session = read_blocks(README)
    if generation == "2.0":
        return blocks
    return [
        evolve(
            block,
            text=re.sub("^session = .*\n", session.text, block.text, flags=re.MULTILINE).replace(
                SECOND, FIRST
            ),
        )
        for block in blocks
    ]


def _rolled(printed: str) -> set[str]:
    """The answers; one is told once more at its end where a log entry came into it."""
    return set(re.findall(r"^You rolled \d+ of 20\.$", printed, re.MULTILINE))


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_the_agent_of_the_readme_answers(
    reader: Reader, demo: User, generation: Generation
) -> None:
    printed = await _follow(reader, demo, _readme_for_generation(generation))
    assert len(_rolled(printed)) == 1
    assert re.search(r"^  info     \S{36}  Rolling a die with 20 sides$", printed, re.MULTILINE)


def test_the_readme_names_what_the_first_generation_installs() -> None:
    assert f'installs `"{FIRST}"`' in (PROJECT / README).read_text()


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_the_agent_of_the_guide_answers(
    reader: Reader, demo: User, generation: Generation
) -> None:
    blocks = _for_generation(read_blocks(CONNECT), generation)
    printed = await _follow(reader, demo, blocks)
    assert len(_rolled(printed)) == 1
    assert '"description":"How many sides the die has"' in printed
    assert re.search(r'"response":"You rolled \d+ of 12\."', printed), "asked itself"


def _to_stream(generation: Generation) -> list[Block]:
    """An agent is registered, and is that of the page on streaming; its session is the guide's."""
    guide = _for_generation(read_blocks(CONNECT), generation)
    ready = [each for each in guide if INSTALLED.search(each.text) or "/register" in each.text]
    [agent] = [each.text for each in guide if each.language == "python"]
    [session] = re.findall(r"^session = .*?\)$", agent, re.MULTILINE | re.DOTALL)
    page = [
        evolve(each, text=each.text.replace("session = GenAISession()", session))
        for each in read_blocks(STREAM)
    ]
    if generation == "1.0":
        page[0] = evolve(
            page[0], text=page[0].text.replace("import json\n", "import json\nimport os\n")
        )
    return [*ready, *page]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_the_agent_of_the_page_on_streaming_is_heard_while_it_speaks(
    reader: Reader, demo: User, generation: Generation
) -> None:
    printed = await _follow(reader, demo, _to_stream(generation))
    frames = _told(printed)
    [answer] = [each for each in frames if each["type"] == "agent_response"]
    story = answer["response"]["response"]["agents_trace"][0]["output"]
    said = [each for each in frames if each["type"] == "delta" and "agent_id" in each]
    assert len(said) > 2
    assert "".join(each["text"] for each in said) == story
    entries = [
        each for each in frames if each.get("log", {}).get("message") == "Thinking of Reynard"
    ]
    assert frames.index(entries[0]) < frames.index(said[-1])
    assert {each["agent_id"] for each in said} == {entries[0]["log"]["agent_id"]}


def _told(printed: str) -> list[Json]:
    """The events of a stream, those without JSON left out."""
    return [json.loads(data) for data in re.findall(r"^data: ({.*})$", printed, re.MULTILINE)]


def _typed_at(blocks: list[Block], words: str) -> Block:
    [block] = [each for each in blocks if each.language == "sh" and words in each.text]
    return block


async def test_front_ends_of_each_kind_see_an_answer_while_it_is_made(
    reader: Reader, demo: User
) -> None:
    blocks = read_blocks(FRONT_ENDS)
    await reader.do(_typed_at(blocks, "export USER_TOKEN"))
    listed = json.loads(await reader.do(_typed_at(blocks, "/v1/models")))
    assert "demo" in {each["id"] for each in listed["data"]}

    *_, last = frames = _told(await reader.do(_typed_at(blocks, "/events?after")))
    answer = last["response"]["response"]["response"]
    assert "".join(each["text"] for each in frames if each["type"] == "delta") == answer

    chunks = _told(await reader.do(_typed_at(blocks, "/v1/chat/completions")))
    deltas = [each["choices"][0]["delta"] for each in chunks]
    assert "".join(each.get("content", "") for each in deltas) == answer
    assert any("reasoning_content" in each for each in deltas)

    events = _told(await reader.do(_typed_at(blocks, "/ag-ui")))
    parts = [each["delta"] for each in events if each["type"] == "TEXT_MESSAGE_CONTENT"]
    assert "".join(parts) == answer
    assert len(parts) > 2

    client = [each for each in blocks if "my_client" in each.text]
    assert answer in "".join([await reader.do(each) for each in client])


async def test_the_tutorial_goes_as_it_says(reader: Reader, demo: User) -> None:
    printed = await _follow(reader, demo, read_blocks(TUTORIAL))
    assert re.search(r'^    "alias": "_[a-z]{6}",$', printed, re.MULTILINE)
    assert "None of the active agents fits" in printed or "No agent is active" in printed
    assert len(_rolled(printed)) == 1
    assert '"agents_trace' in printed
    assert "\n97 is a prime number.\n" in printed
    assert re.search(
        r"^\d+ is (a|no) prime number\.$", printed.partition("\n97 is")[2], re.MULTILINE
    )
    assert re.search(r"^lucky_[a-z]{6}$", printed, re.MULTILINE)
    assert printed.endswith("\n[]")


async def test_what_the_tool_does_is_done_with_curl(reader: Reader, demo: User) -> None:
    blocks = [each for each in read_blocks(REAL_PARTS) if "make run" not in each.text]
    printed = await _follow(reader, demo, blocks)
    assert '"model":"gpt-4o"' in printed
    assert '"detail":"Token is valid"' in printed
    assert printed.count('"agent_name":"dice"') == 2


async def test_the_key_of_the_page_opens_what_it_is_for_and_is_deleted_again(
    reader: Reader, demo: User
) -> None:
    making, ending = [block for block in read_blocks(API_KEYS) if block.language == "sh"]
    assert json.loads(await reader.do(making))["object"] == "list"
    [made] = (await demo.http.get("/api/keys")).json()
    assert (made["name"], made["scopes"]) == ("my editor", ["chat"])
    printed = await reader.do(ending)
    assert [each["id"] for each in json.loads(printed)] == [made["id"]]
    assert (await demo.http.get("/api/keys")).json() == []


async def test_what_is_refused_is_read_instead_of_a_field(reader: Reader) -> None:
    [lines] = [each.text for each in read_blocks(README) if "field()" in each.text]
    [function] = [line for line in lines.splitlines() if line.startswith("field()")]
    refused = """echo '{"detail": "Not authenticated"}' | field jwt || true\n"""
    printed = await reader.do(Block("sh", f"{function}\n{refused}"))
    assert printed == "Not authenticated\n"


def test_the_addresses_of_the_pages_are_those_of_the_local_stack() -> None:
    assert (DEFAULTS["GATEWAY_PORT"], DEFAULTS["AGENTS_PORT"]) == ("8000", "8090")


def test_the_pages_install_what_the_project_is_tested_with() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert FIRST in project["dependency-groups"]["demo"]
    requirements = PROJECT / "tests" / "agents" / "generation_2" / "requirements.in"
    assert requirements.read_text().split() == [SECOND]
    assert OPENAI in project["dependency-groups"]["dev"]


def _named_in_pages() -> set[str]:
    """The commands of `make` in the pages, without the variables in front of them."""
    pages = [PROJECT / README, PROJECT / "CONTRIBUTING.md", *PROJECT.glob("docs/**/*.md")]
    text = "".join(page.read_text() for page in pages)
    return set(re.findall(r"`(?:\w+=\S+ )*(make(?: [a-z-]+)?(?: [A-Z]+=\w+)*)`", text))


def test_the_pages_name_commands() -> None:
    assert {"make", "make run", "make test", "make soak DURATION=600"} <= _named_in_pages()


@pytest.mark.parametrize("command", sorted(_named_in_pages()))
def test_what_make_would_do_is_there(command: str) -> None:
    planned = subprocess.run(
        [*command.split(), "--dry-run"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout
    modules = re.findall(r"python -m ([\w.]+)", planned)
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
