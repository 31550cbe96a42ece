"""The README's commands, as somebody tries them who has just cloned the project."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import attrs
import psutil
import pytest
from attrs import field, frozen

from devstack.processes import HOST, free_port, require_free_port
from devstack.secrets_file import MAKERS
from shared.settings.installation import Settings
from tests.system import PROJECT
from tests.users import Json

START_SECONDS = 120.0  # packages that are in no cache yet have to come from somewhere
END_SECONDS = 30.0
PORTS = ("GATEWAY_PORT", "BRIDGE_PORT", "ROUTER_PORT")
# What would make another installation of it, or is about the `make` and Python of this run.
NOT_THE_USERS = {
    *(each.name.upper() for each in attrs.fields(Settings)),
    *MAKERS,
    *PORTS,
    *("AGENT_ID", "AGENT_JWT_TOKEN", "GATEWAY_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
    *("PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV"),
}


@frozen
class Clone:
    """A fresh clone and the environment of the user who has it."""

    folder: Path
    environment: dict[str, str]

    @property
    def ports(self) -> dict[str, int]:
        """The ports that its user chose."""
        return {name: int(self.environment[name]) for name in PORTS}


@frozen
class Running:
    """A `make run` in a session of its own, as in a terminal."""

    process: subprocess.Popen[bytes]
    output: Path

    def said(self) -> str:
        """What the user has read so far."""
        return self.output.read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def parts(self) -> list[psutil.Process]:
        """Every process that runs for it now."""
        return psutil.Process(self.process.pid).children(recursive=True)


@frozen
class Ending:
    """How a `make run` ended, and which of its processes are still there."""

    code: int
    said: str
    left: list[psutil.Process]


@frozen
class Story:
    """What the user sees in two runs, the first ended by Ctrl-C, the second by a broken part."""

    first: dict[str, str]  # the table
    example: subprocess.CompletedProcess[str]
    first_ending: Ending
    taken_ports: list[str]
    second: dict[str, str]
    history: list[Json]
    second_ending: Ending
    data: Path = field(repr=False)


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    """The project's last commit in an empty folder, and an empty home."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        (home := folder / "home").mkdir()
        checkout = folder / "project"
        subprocess.run(["git", "clone", "--quiet", PROJECT, checkout], check=True)
        yield Clone(checkout, _environment(home))


def _environment(home: Path) -> dict[str, str]:
    """This machine's environment without this project's variables, and with what is cached."""
    own_programs = str(PROJECT / ".venv" / "bin")
    programs = [each for each in os.environ["PATH"].split(os.pathsep) if each != own_programs]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        **{name: value for name, value in os.environ.items() if name not in NOT_THE_USERS},
        **{name: str(free_port()) for name in PORTS},
        "HOME": str(home),
        "PATH": os.pathsep.join(programs),
    }


@pytest.fixture(scope="module")
def story(clone: Clone) -> Story:
    """Run, ask, press Ctrl-C, run again, and break a part."""
    with _run(clone) as running:
        first = _wait_for_table(running)
        example = _run_example(clone, running.said())
        parts = running.parts()
        running.interrupt()
        first_ending = _end(running, parts)
    taken_ports = _taken_ports(clone, first)
    with _run(clone) as running:
        second = _wait_for_table(running)
        history = _read_history(clone, first["demo user"], first["demo password"])
        parts = running.parts()
        [router] = [part for part in parts if "devstack.router" in part.cmdline()]
        router.kill()
        second_ending = _end(running, parts)
    return Story(
        first,
        example,
        first_ending,
        taken_ports,
        second,
        history,
        second_ending,
        clone.folder / ".devstack",
    )


@contextmanager
def _run(clone: Clone) -> Iterator[Running]:
    """Type `make run`. Should it still run at the end of the block, it is ended by force."""
    output = clone.folder.parent / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=clone.folder,
            env=clone.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process, output)
    try:
        yield running
    finally:
        if process.poll() is None:
            parts = running.parts()
            running.interrupt()
            _end(running, parts)


def _wait_for_table(running: Running) -> dict[str, str]:
    """The table that is printed when everything runs."""
    deadline = time.monotonic() + START_SECONDS
    while "Try it:" not in running.said():
        if running.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"`make run` printed no example:\n{running.said()}")
        time.sleep(0.05)
    return dict(re.findall(r"^(\S.*?) {2,}(\S.*)$", running.said(), re.MULTILINE))


def _run_example(clone: Clone, said: str) -> subprocess.CompletedProcess[str]:
    """Copy the printed example into a shell."""
    [command] = re.findall(
        r"^Try it: +(\.venv/bin/python -m devstack\.ask .*)$", said, re.MULTILINE
    )
    return subprocess.run(
        ["sh", "-c", command],
        check=False,
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _end(running: Running, parts: list[psutil.Process]) -> Ending:
    """Wait until it has ended; whatever outlives it is named, and killed."""
    try:
        code = running.process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(running.process.pid, signal.SIGKILL)
        code = running.process.wait()
    _, left = psutil.wait_procs(parts, timeout=1)
    for part in left:
        part.kill()
    return Ending(code, running.said(), left)


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
    """The messages of the user's only chat, newest first."""
    gateway = f"http://{HOST}:{clone.environment['GATEWAY_PORT']}"
    form = urlencode({"username": username, "password": password}).encode()
    token = _read_json(Request(f"{gateway}/api/login/access-token", form))["access_token"]  # noqa: S310
    headers = {"Authorization": f"Bearer {token}"}
    [chat] = _read_json(Request(f"{gateway}/api/chats", headers=headers))["chats"]  # noqa: S310
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


def test_the_printed_example_is_answered(story: Story) -> None:
    assert story.example.returncode == 0, story.example.stderr
    assert "Kyiv" in story.example.stdout.splitlines()[-1]


def test_the_printed_example_shows_log_entries(story: Story) -> None:
    *logs, _answer = story.example.stdout.splitlines()
    assert [line for line in logs if re.match(r" +info +\S+ +\S", line)]


def test_the_printed_example_warns_of_nothing(story: Story) -> None:
    assert story.example.stderr == ""


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
    with socket.create_server((HOST, clone.ports[variable])), _run(clone) as running:
        return variable, _end(running, [])


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
