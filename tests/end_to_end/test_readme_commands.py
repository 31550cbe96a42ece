"""The README's commands, as somebody tries them who has just cloned the project."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import psutil
import pytest
from attrs import evolve, field, frozen

from devstack.processes import HOST, require_free_port
from tests.agents.running import run_master_agent
from tests.end_to_end.clone import (
    PORTS,
    START_SECONDS,
    Clone,
    Ending,
    make_clone,
    run_clone,
    run_example,
    wait_for_end,
    wait_for_table,
)
from tests.end_to_end.pages import read_blocks
from tests.system import BE_KEY, ML_KEY, PROJECT, System
from tests.users import Json


@frozen
class Story:
    """What the user sees in two runs, the first ended by Ctrl-C, the second by a broken part."""

    first: dict[str, str]  # the table
    example: subprocess.CompletedProcess[str]
    flow: subprocess.CompletedProcess[str]
    first_ending: Ending
    taken_ports: list[str]
    second: dict[str, str]
    history: list[Json]
    second_ending: Ending
    data: Path = field(repr=False)


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    """The project's last commit in an empty folder, and an empty home."""
    with make_clone() as clone:
        yield clone


@pytest.fixture(scope="module")
def story(clone: Clone) -> Story:
    """Run, ask, press Ctrl-C, run again, and break a part."""
    with run_clone(clone) as running:
        first = wait_for_table(running)
        example = run_example(clone, running.said())
        flow = run_example(clone, running.said(), "A flow")
        parts = running.parts()
        running.interrupt()
        first_ending = wait_for_end(running, parts)
    taken_ports = _taken_ports(clone, first)
    with run_clone(clone) as running:
        second = wait_for_table(running)
        history = _read_history(clone, first["demo user"], first["demo password"])
        parts = running.parts()
        [router] = [part for part in parts if "devstack.router" in part.cmdline()]
        router.kill()
        second_ending = wait_for_end(running, parts)
    return Story(
        first,
        example,
        flow,
        first_ending,
        taken_ports,
        second,
        history,
        second_ending,
        clone.folder / ".devstack",
    )


def _taken_ports(clone: Clone, table: dict[str, str]) -> list[str]:
    """Which of the ports of a run somebody still listens on."""
    ports = {**clone.ports}
    for name in ("PostgreSQL", "Valkey"):
        ports[name] = int(re.findall(r":(\d+)", table[name])[0])
    return [name for name, port in ports.items() if _listens(port)]


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def _read_history(clone: Clone, username: str, password: str) -> list[Json]:
    """The messages of the user's first chat, newest first."""
    gateway = f"http://{HOST}:{clone.environment['GATEWAY_PORT']}"
    form = urlencode({"username": username, "password": password}).encode()
    token = _read_json(Request(f"{gateway}/api/login/access-token", form))["access_token"]  # noqa: S310
    headers = {"Authorization": f"Bearer {token}"}
    *_, chat = _read_json(Request(f"{gateway}/api/chats", headers=headers))["chats"]  # noqa: S310
    url = f"{gateway}/api/chat?session_id={chat['session_id']}"
    items: list[Json] = _read_json(Request(url, headers=headers))["items"]  # noqa: S310
    return items


def _read_json(request: Request) -> Json:
    with urlopen(request, timeout=10) as response:  # noqa: S310 (an address of ours)
        content: Json = json.load(response)
    return content


def _own_words(said: str) -> list[str]:
    """The lines that are not from `make` itself."""
    return [line for line in said.splitlines() if line and not line.startswith("make")]


def test_the_readme_names_the_command_that_is_tried_here() -> None:
    assert "\nmake run\n" in (PROJECT / "README.md").read_text()


def test_make_run_prints_a_table_with_the_demo_user(story: Story, clone: Clone) -> None:
    assert story.first["demo user"] == "demo"
    assert story.first["demo password"]
    assert f":{clone.environment['GATEWAY_PORT']}/docs" in story.first["Swagger UI"]


def test_agents_are_sent_to_the_door_and_not_to_the_router(story: Story, clone: Clone) -> None:
    assert story.first["agents connect to"] == f"ws://{HOST}:{clone.ports['AGENTS_PORT']}/ws"
    assert story.first["router"] == f"ws://{HOST}:{clone.ports['ROUTER_PORT']}/ws"


def test_the_printed_example_is_answered(story: Story) -> None:
    assert story.example.returncode == 0, story.example.stderr
    assert "Kyiv" in story.example.stdout.splitlines()[-1]


def test_the_printed_example_shows_log_entries(story: Story) -> None:
    *logs, _answer = story.example.stdout.splitlines()
    assert [line for line in logs if re.match(r" +info +\S+ +\S", line)]


def test_the_printed_example_warns_of_nothing(story: Story) -> None:
    assert story.example.stderr == ""


def test_a_flow_of_an_agent_a_tool_and_an_a2a_agent_is_answered(story: Story) -> None:
    assert (story.flow.returncode, story.flow.stderr) == (0, "")
    *logs, answer = story.flow.stdout.splitlines()
    called = [line.split()[3] for line in logs if " Calling " in line]
    assert [name[:-7] for name in called] == ["city_time", "twelve_hours", "Greeter"]
    assert re.match(r"Good \w+! In Kyiv it is \d+:\d\d [ap]\.m\. on ", answer)


def test_ctrl_c_ends_every_process(story: Story) -> None:
    assert story.first_ending.left == []


def test_ctrl_c_frees_every_port(story: Story) -> None:
    assert story.taken_ports == []


def test_ctrl_c_shows_no_traceback(story: Story) -> None:
    assert "Traceback" not in story.first_ending.said
    assert _own_words(story.first_ending.said)[-1] == "ended"


def test_a_second_run_keeps_the_demo_user(story: Story) -> None:
    assert story.second["demo user"] == story.first["demo user"]
    assert story.second["demo password"] == story.first["demo password"]


def test_a_second_run_keeps_the_chats(story: Story) -> None:
    answer, question = story.history
    assert "Kyiv" in question["content"]
    assert json.loads(answer["content"])["response"] == story.example.stdout.splitlines()[-1]


def test_a_part_that_dies_ends_everything(story: Story) -> None:
    assert story.second_ending.code != 0
    assert story.second_ending.left == []


def test_a_part_that_dies_is_named(story: Story) -> None:
    after_example = story.second_ending.said.partition("Try it:")[2]
    [_example, sentence, *log] = _own_words(after_example)
    assert sentence.startswith("router ended")
    assert "Traceback" not in "\n".join(log)


def test_the_secrets_are_readable_by_their_owner_only(story: Story) -> None:
    assert (story.data / "secrets.env").stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module", params=PORTS)
def taken(request: pytest.FixtureRequest, story: Story, clone: Clone) -> tuple[str, Ending]:
    """A port's variable, and how a run ended while somebody else listened there."""
    variable: str = request.param
    with socket.create_server((HOST, clone.ports[variable])), run_clone(clone) as running:
        return variable, wait_for_end(running, [])


def test_a_taken_port_is_one_sentence_that_names_the_part(
    taken: tuple[str, Ending], clone: Clone
) -> None:
    variable, ending = taken
    assert ending.code != 0
    [sentence] = _own_words(ending.said)
    assert variable.removesuffix("_PORT").lower() in sentence
    assert str(clone.ports[variable]) in sentence


@pytest.mark.usefixtures("taken")
def test_a_taken_port_leaves_nothing_running(clone: Clone) -> None:
    assert [each for each in psutil.process_iter() if _works_in(each, clone.folder)] == []
    for name, port in clone.ports.items():
        require_free_port(name, port)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


@frozen
class Visit:
    """A `make run` at a router that somebody else runs."""

    table: dict[str, str]
    parts: list[str]
    example: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def command(module_system: System) -> str:
    """How the page about the real parts starts the pair at a router that is there."""
    [command] = [
        block.text.replace("ws://127.0.0.1:8080/ws", module_system.router_url)
        for block in read_blocks("docs/how-to/real-parts.md")
        if "make run" in block.text
    ]
    return command


@pytest.fixture(scope="module")
def visit(clone: Clone, command: str, module_system: System) -> Visit:
    """What that page says to do, the router's keys being in `.env`."""
    keys = f"MASTER_BE_API_KEY={BE_KEY}\nMASTER_AGENT_API_KEY={ML_KEY}\n"
    (clone.folder / ".env").write_text(keys)
    module_system.gateways.append(f"http://{HOST}:{clone.ports['GATEWAY_PORT']}")
    with run_clone(clone, command) as running:
        table = wait_for_table(running)
        parts = [" ".join(part.cmdline()) for part in running.parts()]
        module_system.doors.append(table["agents connect to"])
        with run_master_agent(module_system, "enriched"):
            return Visit(table, parts, run_example(clone, running.said()))


def test_a_router_that_is_given_is_used(visit: Visit, module_system: System) -> None:
    assert visit.table["router"] == module_system.router_url
    assert "Kyiv" in visit.example.stdout.splitlines()[-1]


def test_beside_a_router_that_is_given_there_is_no_other(visit: Visit) -> None:
    started = "\n".join(visit.parts)
    assert "agent_bridge" in started
    assert "devstack.router" not in started
    assert "devstack.master_agent" not in started


def test_a_router_that_has_another_key_is_named(
    clone: Clone, command: str, module_system: System
) -> None:
    other = {"MASTER_BE_API_KEY": f"another-{BE_KEY}", "MASTER_AGENT_API_KEY": ML_KEY}
    visitor = evolve(clone, environment={**clone.environment, **other})
    with run_clone(visitor, command) as running:
        ending = wait_for_end(running, running.parts(), START_SECONDS)
    assert ending.code != 0
    *_, sentence = _own_words(ending.said)
    assert f"can't hold the session at {module_system.router_url}" in sentence
    assert "MASTER_BE_API_KEY" in sentence


def test_a_router_whose_key_of_the_master_agent_is_not_given_starts_nothing(
    clone: Clone, command: str
) -> None:
    (clone.folder / ".env").unlink(missing_ok=True)
    with run_clone(clone, command) as running:
        ending = wait_for_end(running, running.parts(), START_SECONDS)
    assert ending.code != 0
    [sentence] = _own_words(ending.said)
    assert "MASTER_AGENT_API_KEY" in sentence


@pytest.mark.usefixtures("visit")
def test_make_clean_empties_the_data_folder(clone: Clone) -> None:
    data = clone.folder / ".devstack"
    assert data.exists()
    subprocess.run(["make", "clean"], cwd=clone.folder, env=clone.environment, check=True)
    assert not data.exists()


def test_make_alone_explains_every_target(clone: Clone) -> None:
    explained = subprocess.run(
        ["make"],
        cwd=clone.folder,
        env=clone.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    [phony] = re.findall(
        r"^\.PHONY: help (.*)$", (clone.folder / "Makefile").read_text(), re.MULTILINE
    )
    assert [line.split()[0] for line in explained.splitlines()] == ["help", *phony.split()]
