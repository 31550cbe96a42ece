"""The running parts of the local stack: started one after the other, watched, ended in reverse."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from attrs import define, field

from devstack.processes import Child, StackError, start_child, stopping

START_SECONDS = 60.0
LOOK_SECONDS = 0.1


@define
class Stack:
    """Owns the child processes; leaving `exits` ends them in reverse order."""

    project: Path
    logs: Path
    exits: ExitStack
    children: list[Child] = field(factory=list, init=False)

    def start(
        self, name: str, module: str, *arguments: str, environment: Mapping[str, str]
    ) -> Child:
        """Start `python -m module` with its output in a log of its own."""
        child = start_child(
            name,
            [sys.executable, "-m", module, *arguments],
            self.logs / f"{name}.log",
            environment={**environment, "PYTHONUNBUFFERED": "1"},
            folder=self.project,
        )
        self.add(self.exits.enter_context(stopping(child)))
        return child

    def add(self, child: Child) -> None:
        """Watch a child that somebody else ends."""
        self.children.append(child)

    def run(self, name: str, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Run `python -m module` to its end. Raises StackError when it fails."""
        child = self.start(name, module, *arguments, environment=environment)
        self.children.remove(child)
        while not child.has_ended:
            self.check()
            time.sleep(LOOK_SECONDS)
        if child.process.returncode != 0:
            raise _failure(child)

    def check(self) -> None:
        """Raise StackError when a part has ended."""
        for child in self.children:
            if child.has_ended:
                raise _failure(child)

    def wait_until(
        self, what: str, is_so: Callable[[], bool], seconds: float = START_SECONDS
    ) -> None:
        """Return once it is so. Raises StackError when a part ends or it takes too long."""
        deadline = time.monotonic() + seconds
        while not is_so():
            self.check()
            if time.monotonic() > deadline:
                raise StackError(f"{what} after {seconds:.0f} s; see {self.logs}.")
            time.sleep(LOOK_SECONDS)

    def watch(self) -> NoReturn:
        """Stay as long as every part runs; raises StackError when one ends."""
        while True:
            self.check()
            time.sleep(LOOK_SECONDS)


def _failure(child: Child) -> StackError:
    code = child.process.returncode
    return StackError(f"{child.name} ended with {code}; its log ends:\n{child.last_lines()}")
