"""A clock that a test sets, in place of the loop's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from attrs import define, field

from agent_bridge.parts import text


@define(eq=False)
class Timer:
    """Something to be done then."""

    at: float
    callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Have it not done."""
        self.is_cancelled = True


@define
class Clock:
    """What a loop is to texts."""

    now: float = 100.0
    timers: list[Timer] = field(factory=list)

    def time(self) -> float:
        """What it shows."""
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        """Have something done then."""
        self.timers.append(timer := Timer(at, callback))
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, and do what is due."""
        until = self.now + seconds
        while due := [each for each in self.timers if each.at <= until and not each.is_cancelled]:
            first = min(due, key=lambda each: each.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.callback()
        self.now = until


@contextmanager
def running_clock() -> Iterator[Clock]:
    """Texts that are made now go by this clock."""
    clock = Clock()
    with patch.object(text, "asyncio", SimpleNamespace(get_running_loop=lambda: clock)):
        yield clock
