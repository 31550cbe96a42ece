"""Whom credentials stand for, once it was looked up: the next calls with one cost no query.

One is forgotten when it, or whose it is, is told to have ended or changed; it is looked up each
time while that would not be heard.
"""

from collections import OrderedDict
from typing import Protocol
from uuid import UUID

from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller


class Known(Protocol):
    """What was looked up of a credential."""

    is_dropped: bool
    """Whether its end, or a change, has been told since."""

    @property
    def caller(self) -> Caller:
        """Whom it stands for."""


class Remembered[T: Known]:
    """The newest so many, by a hash; those that are used least recently are forgotten first."""

    def __init__(self, revocations: Revocations, most: int) -> None:
        self._revocations = revocations
        self._most = most
        self._known: OrderedDict[bytes, T] = OrderedDict()
        self._by_id: dict[UUID, set[bytes]] = {}
        self.told = 0
        """How often something was: what was looked up meanwhile may be of before it."""
        revocations.tell(self._drop)

    def get(self, hash_: bytes) -> T | None:
        """What is known here, though its end may not have been heard."""
        return self._known.get(hash_)

    def find(self, hash_: bytes) -> T | None:
        """What is known and holds; None: it has to be looked up."""
        known = self._known.get(hash_) if self._revocations.is_fresh else None
        if known is not None:
            self._known.move_to_end(hash_)
        return known

    def keep(self, hash_: bytes, known: T, told: int) -> None:
        """Remember what was looked up when so much was told."""
        self.forget(hash_)
        if told != self.told:
            return
        self._known[hash_] = known
        for id_ in known.caller.credential.ids:
            self._by_id.setdefault(id_, set()).add(hash_)
        if len(self._known) > self._most:
            self.forget(next(iter(self._known)))

    def forget(self, hash_: bytes) -> None:
        """Have it looked up the next time."""
        known = self._known.pop(hash_, None)
        for id_ in () if known is None else known.caller.credential.ids:
            hashes = self._by_id[id_]
            hashes.discard(hash_)
            if not hashes:
                del self._by_id[id_]

    def _drop(self, id_: UUID) -> None:
        self.told += 1
        for hash_ in list(self._by_id.get(id_, ())):
            self._known[hash_].is_dropped = True
            self.forget(hash_)
