"""What is done in a transaction is told once that has ended: nobody looks before, or in vain."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Publisher(Protocol):
    """Tells whoever listens."""

    def publish(self, channel: str, message: bytes) -> None: ...


class _Held:
    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def publish(self, channel: str, message: bytes) -> None:
        self.messages.append((channel, message))


@contextmanager
def holding(publisher: Publisher) -> Iterator[Publisher]:
    """Keep what is published until the block ends; where it fails, nobody is told."""
    held = _Held()
    yield held
    for channel, message in held.messages:
        publisher.publish(channel, message)
