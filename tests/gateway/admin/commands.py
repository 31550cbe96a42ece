"""Runs commands as operators do, in this process."""

import asyncio
import json
from typing import Any

from attrs import frozen
from typer.testing import CliRunner

from gateway.admin.app import app
from tests.system import System

type Json = dict[str, Any]


@frozen
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The only document that it wrote."""
        [thing] = self.lines
        return thing

    @property
    def lines(self) -> list[Json]:
        """The JSON lines that it wrote."""
        return [json.loads(line) for line in self.out.splitlines()]


@frozen
class Admin:
    """The command with the variables of an installation."""

    variables: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "", **others: str) -> Ended:
        """Run it. What it does not expect is raised."""
        runner = CliRunner(env={**self.variables, **others})
        ended = runner.invoke(app, arguments, input=stdin)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def asked(self, *arguments: str, **others: str) -> list[Json]:
        """The JSON lines of a command that succeeds."""
        ended = self(*arguments, "--json", **others)
        assert (ended.code, ended.err) == (0, ""), ended.err
        return ended.lines

    async def soon(self, *arguments: str, stdin: str = "", **others: str) -> Ended:
        """Run it beside this loop."""
        return await asyncio.to_thread(self, *arguments, stdin=stdin, **others)


def variables_of(system: System) -> dict[str, str]:
    """Those that its services have."""
    files = {"DEFAULT_FILES_FOLDER_NAME": str(system.files)}
    return {**system.environment, **system.of_services, **files}
