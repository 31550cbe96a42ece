"""The command in a process of its own, at a terminal and without one."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from os import environ
from uuid import uuid4

from tests.gateway.admin.commands import Admin
from tests.system import PROJECT
from tests.users import PASSWORD

HEAVY = ("asyncpg", "databases", "redis", "sqlalchemy", "starlette")
COMMAND = [sys.executable, "-W", "error", "-m", "gateway.admin"]


def at_terminal(admin: Admin, *arguments: str, answers: dict[str, str]) -> tuple[int, str]:
    """Run it at a terminal and type an answer after each of these texts; how it ended."""
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**environ, **admin.variables},
        cwd=PROJECT,
    )
    os.close(its_end)
    shown, left = "", dict(answers)
    with suppress(OSError):  # how Linux tells that the other end is closed
        while some := os.read(terminal, 1024):
            shown += some.decode()
            for text in [text for text in left if text in shown]:
                os.write(terminal, f"{left.pop(text)}\n".encode())
    os.close(terminal)
    return process.wait(), shown


def test_a_password_is_typed_twice_and_never_shown(admin: Admin) -> None:
    name = f"typed-{uuid4()}"
    answers = {"Password: ": PASSWORD, "confirmation: ": PASSWORD}
    code, shown = at_terminal(admin, "users", "create", name, answers=answers)
    assert code == 0, shown
    assert name in shown
    assert PASSWORD not in shown
    assert admin.asked("users", "show", name)[0]["username"] == name


def test_what_is_not_meant_is_not_done(admin: Admin) -> None:
    answers = {"Make nobody an administrator? [y/N]: ": "n"}
    code, shown = at_terminal(admin, "users", "make-admin", "nobody", answers=answers)
    assert (code, shown.endswith("Nothing was done.\r\n")) == (1, True)


def test_help_is_shown_without_what_the_work_needs() -> None:
    code = (
        "import sys; from gateway.admin.app import app\n"
        "try: app(['users', 'import', '--help'])\n"
        f"except SystemExit: print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "users import users.csv" in ended.stdout
    assert ended.stderr == "\n"
