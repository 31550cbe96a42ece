"""Which runs have somebody who follows them here: with the last one who leaves they end."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Followed:
    """How many streams follow each request here.

    A front-end that comes back may be here before it is seen that its old connection has gone.
    """

    def __init__(self) -> None:
        self._streams: Counter[UUID] = Counter()

    def __contains__(self, request_id: UUID) -> bool:
        return request_id in self._streams

    @contextmanager
    def follow(self, request_id: UUID) -> Iterator[None]:
        """Count a stream until the block ends."""
        self._streams[request_id] += 1
        try:
            yield
        finally:
            self._streams[request_id] -= 1
            if not self._streams[request_id]:
                del self._streams[request_id]
