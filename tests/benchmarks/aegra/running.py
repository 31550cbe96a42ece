"""aegra as a real process with its Redis workers, and users of its threads."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from attrs import define, frozen

from devstack.processes import HOST, free_port, start_child, stopping, wait_until_ready
from devstack.valkey import run_valkey
from tests.benchmarks.following import JSON, Follower
from tests.benchmarks.installation import Bench, Processes, Spent, spent_by
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.report import FOLDER
from tests.benchmarks.wire import Events, connections, http_request
from tests.system import PROJECT, read_status, run_database, url_of

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
ENVIRONMENT = FOLDER / "aegra"
INSTALLED = ENVIRONMENT / ".installed"  # holds the lock's digest
START_SECONDS = 60.0
OK = 200
PARTS = b"custom"  # what aegra calls what a graph says on its own


class NotInstallableError(Exception):
    """This machine can't have it; the text is the last line of why."""


def install() -> str:
    """Install what the lock says, unless that is done; its version. Raises NotInstallableError."""
    digest = sha256(LOCK.read_bytes()).hexdigest()
    if not INSTALLED.exists() or INSTALLED.read_text() != digest:
        _run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
        _run(_python(), "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK)
        INSTALLED.write_text(digest)
    [packages] = ENVIRONMENT.glob("lib/*/site-packages")
    [aegra] = distributions(name="aegra-api", path=[str(packages)])
    return aegra.version


def _python() -> Path:
    return ENVIRONMENT / "bin/python"


def _run(*command: str | Path) -> None:
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise NotInstallableError(ended.stderr.strip().rpartition("\n")[2])


@frozen
class Aegra:
    """A running server, with a PostgreSQL and a Valkey as ours have them."""

    url: str
    processes: Processes

    def spent(self) -> Spent:
        """What each part has spent."""
        return spent_by(self.processes)


@contextmanager
def run_aegra(bench: Bench) -> Iterator[Aegra]:
    """Run it, until the block ends. Raises StackError."""
    with (
        TemporaryDirectory() as name,
        run_valkey(Path(name)) as valkey,
        run_database(bench.postgres) as database,
    ):
        port, log = str(free_port()), Path(name) / "aegra.log"
        variables = {
            "DATABASE_URL": url_of(bench.postgres, database),
            "REDIS_BROKER_ENABLED": "true",
            "REDIS_URL": valkey.url,
            "ENV_MODE": "PRODUCTION",
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(PROJECT),
        }
        server = ["uvicorn", "aegra_api.main:app", "--host", HOST, "--port", port]
        child = start_child(
            "aegra",
            [_python(), "-m", *server, "--no-access-log"],
            log,
            environment={**os.environ, **variables},
            folder=HERE,
        )
        with stopping(child):
            url = f"http://{HOST}:{port}"
            wait_until_ready(child, lambda: read_status(f"{url}/health") == OK, START_SECONDS)
            servers = {"PostgreSQL": [bench.postgres.pid], "Valkey": [valkey.pid]}
            yield Aegra(url, {"aegra": [child.pid], **servers})


@define
class OnThread(Follower):
    """A user of a thread of its own."""

    patience = 180.0  # seconds: its users wait for each other
    events: Events
    thread_id: str

    async def _texts(self, question: str) -> AsyncGenerator[str]:
        asked = {"assistant_id": "parts", "input": {"question": question}}
        body = orjson.dumps({**asked, "stream_mode": ["custom"]})
        path = f"/threads/{self.thread_id}/runs/stream"
        head = http_request("POST", path, len(body), kind=JSON)
        async with aclosing(self.events.ask(head + body)) as events:
            async for name, data in events:
                if name == PARTS:
                    yield orjson.loads(data)


@asynccontextmanager
async def on_threads(aegra: Aegra, users: int) -> AsyncIterator[list[OnThread]]:
    """So many users, each with a thread and a connection."""
    async with connections(aegra.url, 1) as [one]:
        begin = http_request("POST", "/threads", 2, kind=JSON) + b"{}"
        answers = [await one.ask(begin) for _ in range(users)]
    if faults := [each for each in answers if each.status != OK]:
        raise WrongAnswerError(f"{faults[0]} for a thread")
    threads = [orjson.loads(each.body)["thread_id"] for each in answers]
    followers = [OnThread(Events(aegra.url), thread) for thread in threads]
    yield followers
    for each in followers:
        each.events.close()
