"""Much that comes at once, some of it in each turn of the loop: what else is due is not late."""

import asyncio
from collections import deque
from collections.abc import Callable

PORTION = 50  # in a turn


class Portions:
    """Work in its order, of which each piece takes well below a millisecond."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._done = 0  # in this turn
        self._is_going_on = False

    def add(self, work: Callable[[], object]) -> bool:
        """Do it at once, if no more than a portion has come in this turn, or else in a later one.

        Whether it was at once.
        """
        if not self._is_going_on:
            self._is_going_on = True
            asyncio.get_running_loop().call_soon(self._go_on)
        if self._waiting or self._done == PORTION:
            self._waiting.append(work)
            return False
        self._done += 1
        work()
        return True

    def _go_on(self) -> None:
        """It is another turn."""
        self._done = min(PORTION, len(self._waiting))
        self._is_going_on = bool(self._done)
        if self._is_going_on:  # before anything that may raise
            asyncio.get_running_loop().call_soon(self._go_on)
        for _ in range(self._done):
            self._waiting.popleft()()
