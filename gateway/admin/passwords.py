"""How commands are given a password: asked for, or on stdin. Never as an argument, which others on
the machine can read."""

import sys
from typing import Annotated

import typer

from gateway.admin.faults import UsageError
from gateway.admin.output import tell

FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]


def read_password(*, from_stdin: bool) -> str:
    """The new password, typed twice or read."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        tell("Nobody can be asked for the password here: say --password-stdin.")
        raise typer.Exit(UsageError.code)
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password
