"""PgBouncer as the documentation shows it, in front of the PostgreSQL of the tests."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from devstack.postgres import PostgresServer
from devstack.processes import HOST, Child, free_port, start_child, stopping, wait_until_ready
from tests.docs.pages import DOCS
from tests.end_to_end.proxy import find_program, listens

UNPRIVILEGED = "nobody"  # as root it does not run


@frozen
class Pooler:
    """A running PgBouncer."""

    port: int
    child: Child


def read_configuration() -> str:
    """What the documentation shows."""
    page = (DOCS / "how-to/postgresql.md").read_text()
    [shown] = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    return str(shown)


def write_configuration(
    folder: Path, postgres: PostgresServer, ports: tuple[int, int], changes: dict[str, str]
) -> Path:
    """Write it, to lead from one port to the other, with those changes; returns where it is."""
    users, file = folder / "userlist.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{postgres.user}" "{postgres.password}"\n')
    place = f"* = host={HOST} port={ports[1]}"
    text = re.sub(r"^genai = host=\S+ port=\d+", place, read_configuration(), flags=re.MULTILINE)
    own = {"listen_addr": HOST, "listen_port": str(ports[0]), "auth_file": str(users)}
    for name, value in {**own, **changes}.items():
        text, count = re.subn(rf"^{name} = .*", f"{name} = {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    # Other roles than that one are asked for: the tests' services each have their own.
    file.write_text(f"{text}unix_socket_dir =\nauth_user = {postgres.user}\n")
    return file


@contextmanager
def run_pooler(
    folder: Path,
    postgres: PostgresServer,
    at: int | None = None,
    own_port: int | None = None,
    /,
    **changes: str,
) -> Iterator[Pooler]:
    """A pooler with its files in the folder, for all databases of the server, or of a port."""
    port = own_port or free_port()
    file = write_configuration(folder, postgres, (port, at or postgres.port), changes)
    user = ["-u", UNPRIVILEGED] if os.geteuid() == 0 else []
    command: list[str | Path] = [find_program("pgbouncer"), *user, file]
    log = folder / "pgbouncer.log"
    child = start_child("pgbouncer", command, log, environment=dict(os.environ), folder=folder)
    with stopping(child):
        wait_until_ready(child, lambda: listens(port))
        yield Pooler(port, child)
