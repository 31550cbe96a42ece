"""The API keys that are known here: whether one is good costs no query but the first."""

import time
from collections import OrderedDict
from time import monotonic
from typing import Protocol

from attrs import define
from databases import Database
from databases.core import Connection

from gateway.keys.format import PREFIX, hash_of, is_whole
from gateway.keys.uses import Uses
from gateway.keys.using_queries import StoredKey, select_key
from gateway.signins.remembered import Remembered
from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller, Credential
from shared.postgres.pool import give_back
from shared.process.networks import Networks
from shared.telemetry.logging import bind_log_ids

KNOWN_LIMIT = 10_000  # keys
UNKNOWN_LIMIT = 10_000  # of which it is known that there are none
UNKNOWN_SECONDS = 60.0
READ_SECONDS = 3600.0  # after which one is read again; what has ended is told for longer


class Guesses(Protocol):
    """Counts, by address, those who bring keys that there are not."""

    async def check(self, host: str) -> None:
        """Raise TooManyRequestsError where one has brought too many."""

    async def count(self, host: str) -> None:
        """Count one. Raises TooManyRequestsError."""


@define(eq=False)
class _Known:
    """A key, and whom it stands for."""

    caller: Caller
    key: StoredKey
    networks: Networks
    read_until: float
    """When it is to be read again, by the monotonic clock."""
    is_dropped: bool = False

    def lets_in(self, host: str, now: float) -> bool:
        """Whether it is good now, for who comes from there."""
        if self.key.is_locked or now >= self.caller.credential.expires_at:
            return False
        return not self.key.networks or host in self.networks


class Keys:
    """Finds who has a key."""

    def __init__(
        self, database: Database, revocations: Revocations, guesses: Guesses, uses: Uses
    ) -> None:
        self._database = database
        self._guesses = guesses
        self._uses = uses
        self._known: Remembered[_Known] = Remembered(revocations, KNOWN_LIMIT)
        self._unknown: OrderedDict[bytes, float] = OrderedDict()  # until when that is believed

    def is_one(self, token: str) -> bool:
        """Whether it is to be one, and no token of another kind."""
        return token.startswith(PREFIX)

    def knows(self, key: str) -> bool:
        """Whether it has been found, and is good as far as is known here."""
        known = self._known.get(hash_of(key))
        return known is not None and time.time() < known.caller.credential.expires_at

    async def find(self, connection: Connection, key: str, host: str) -> Caller | None:
        """Whose it is, if it is good for who comes from there. Raises TooManyRequestsError."""
        hash_, now = hash_of(key), time.time()
        known = self._known.find(hash_)
        if known is None or known.read_until < monotonic():
            known = await self._look_up(connection, key, hash_, host)
        if known is None:
            return None
        if not known.lets_in(host, now):
            bind_log_ids(user_id=known.key.user_id)
            return None
        self._uses.note(known.key.id, now, host)
        return known.caller

    async def _look_up(
        self, connection: Connection, key: str, hash_: bytes, host: str
    ) -> _Known | None:
        if not is_whole(key) or self._unknown.get(hash_, 0.0) > monotonic():
            return None
        await self._guesses.check(host)
        told = self._known.told
        stored = await select_key(connection, hash_)
        if stored is None:
            self._known.forget(hash_)
            self._note_unknown(hash_)
            await give_back(self._database)
            await self._guesses.count(host)
            return None
        known = _make(stored)
        self._known.keep(hash_, known, told)
        return known

    def _note_unknown(self, hash_: bytes) -> None:
        self._unknown[hash_] = monotonic() + UNKNOWN_SECONDS
        if len(self._unknown) > UNKNOWN_LIMIT:
            self._unknown.popitem(last=False)


def _make(stored: StoredKey) -> _Known:
    credential = Credential(
        stored.id, stored.expires_at, lambda: known.is_dropped, hangs_on=[stored.user_id]
    )
    caller = Caller(stored.user_id, credential=credential, scopes=stored.scopes)
    known = _Known(caller, stored, Networks(stored.networks), monotonic() + READ_SECONDS)
    return known
