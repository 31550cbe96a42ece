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
from typing import Any

import orjson
from attrs import frozen

from devstack.processes import HOST, free_port, start_child, stopping, wait_until_ready
from devstack.valkey import run_valkey
from tests.benchmarks.following import JSON
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
def run_aegra(bench: Bench, **overrides: str) -> Iterator[Aegra]:
    """Run it, until the block ends. Raises StackError.

    As `aegra serve` does in production: with Redis workers, and pools, workers and whatever else
    is not overridden as its documentation has them.
    """
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
            "LOG_VERBOSITY": "standard",
            "PYTHONPATH": str(PROJECT),
        }
        server = ["uvicorn", "aegra_api.main:app", "--host", HOST, "--port", port]
        child = start_child(
            "aegra",
            [_python(), "-m", *server, "--no-access-log"],
            log,
            environment={**os.environ, **variables, **overrides},
            folder=HERE,
        )
        with stopping(child):
            url = f"http://{HOST}:{port}"
            wait_until_ready(child, lambda: read_status(f"{url}/health") == OK, START_SECONDS)
            servers = {"PostgreSQL": [bench.postgres.pid], "Valkey": [valkey.pid]}
            yield Aegra(url, {"aegra": [child.pid], **servers})


@frozen
class Thread:
    """A thread, and a connection of its user."""

    id: str
    events: Events

    async def run(self, graph: str, mode: str, question: str) -> AsyncGenerator[Any]:
        """Have a graph run, and read what comes of it in this mode."""
        asked = {"assistant_id": graph, "input": {"question": question}, "stream_mode": [mode]}
        body = orjson.dumps(asked)
        head = http_request("POST", f"/threads/{self.id}/runs/stream", len(body), kind=JSON)
        async with aclosing(self.events.ask(head + body)) as events:
            async for name, data in events:
                if name == mode.encode():
                    yield orjson.loads(data)


@asynccontextmanager
async def threads_of(aegra: Aegra, users: int) -> AsyncIterator[list[Thread]]:
    """So many users, each with a thread and a connection."""
    async with connections(aegra.url, 1) as [one]:
        begin = http_request("POST", "/threads", 2, kind=JSON) + b"{}"
        answers = [await one.ask(begin) for _ in range(users)]
    if faults := [each for each in answers if each.status != OK]:
        raise WrongAnswerError(f"{faults[0]} for a thread")
    threads = [Thread(orjson.loads(each.body)["thread_id"], Events(aegra.url)) for each in answers]
    yield threads
    for each in threads:
        each.events.close()
