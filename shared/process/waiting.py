"""Whoever starts a process sees what it waits for."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

logger = logging.getLogger(__name__)

FIRST_SECONDS = 1.0  # a process has taken about as long until it can say something
PAUSE_SECONDS = 1.9


@contextmanager
def waiting_for(what: str, tell: Callable[[str], None] = logger.info) -> Iterator[None]:
    """Tell what the block waits for, again and again until it ends: never silent over 2 s.

    In a thread, as what is waited for may hold this one.
    """
    ended = Event()

    def tell_on() -> None:
        begun, pause = monotonic(), FIRST_SECONDS
        while not ended.wait(pause):
            tell(f"waiting for {what} ({monotonic() - begun:.0f} s)")
            pause = PAUSE_SECONDS

    telling = Thread(target=tell_on, name="waiting", daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join()
