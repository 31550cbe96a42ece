"""Password hashes: Argon2id at OWASP's parameters, in threads of their own.

Passwords are normalised before (NFKC, as NIST SP 800-63B has it): keyboards write one letter in
different ways. Hashes of before are verified as they were made, and made anew at the next login;
so are those that users bring from the original installation, which are bcrypt's.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Protocol
from unicodedata import normalize

import bcrypt
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.accounts.breached import is_breached

THREADS = 2
TURNS = THREADS + 1  # one is begun or finished while the others are hashed
TOGETHER = 4  # turns, whose passwords go on at once where others are still to be hashed
WAITING_ROOM = 500  # about seven seconds of work on two cores, a minute with bcrypt's hashes

NORMALISED_LIMIT = 1024  # characters, as many as a new one may have

NICENESS = 10
MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1  # more of them in two threads at once hang or raise MemoryError
SALT_BYTES = 16
HASH_BYTES = 32

ARGON2_PREFIX = "$argon2"
# Nobody's. Verified in place of the hash of a user who does not exist: it takes the same time.
ARGON2_DECOY = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}${'A' * 22}${'A' * 43}"
BCRYPT_BYTES = 72  # all that bcrypt looks at; the library refuses more
BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
BCRYPT_DECOY = f"$2b$12${'.' * 53}"  # the original's cost, and nobody's password

BREACHED = (
    "This password is known from breaches of other services, where attackers look first. Please"
    " choose another one"
)


class Verdict(IntEnum):
    """What a password is."""

    WRONG = 0
    RIGHT = 1
    OUTDATED = 2  # right, and its hash is to be made anew


class BusyError(Exception):
    """More passwords wait to be hashed than the waiting room holds."""


class BreachedError(Exception):
    """The password is known from breaches."""


class Trial(Protocol):
    """Told when a password's turn comes, and whether it was the right one."""

    async def begin(self) -> None:
        """Before any work; what it raises is raised, and there is none."""

    async def succeed(self) -> None:
        """It was; begun before the next one's turn comes."""


class Passwords:
    """Hashes and verifies off the event loop, a bounded number at a time."""

    def __init__(self, *, allows_breached: bool = False) -> None:
        self._allows_breached = allows_breached
        self._executor = ThreadPoolExecutor(THREADS, "passwords", _step_back)
        self._turns = asyncio.Semaphore(TURNS)
        self._waiting = 0
        self._ended = 0  # turns, since those who were checked went on
        self._checked: list[asyncio.Future[None]] = []

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises BusyError."""
        async with self._turn():
            return await self._run(_hash, password)

    async def hash_new(self, password: str) -> str:
        """The same of one that a user has just chosen. Raises BusyError, BreachedError."""
        hash_ = _hash if self._allows_breached else _hash_unbreached
        async with self._turn():
            return await self._run(hash_, password)

    async def verify(
        self,
        password: str,
        stored: str | None,
        trial: Trial | None = None,
        *,
        some_have_bcrypt: bool = False,
    ) -> Verdict:
        """Whether the password is the one whose hash is stored. Raises BusyError.

        While some users have a hash of bcrypt's, each failure takes one verification of either
        kind: how long it takes tells nothing about the user. Who is checked waits for a few others,
        if there are any: what follows finds the processor's caches full of hashing, and costs a
        fraction if it is done for several at once.
        """
        decoys = [] if stored and stored.startswith(ARGON2_PREFIX) else [ARGON2_DECOY]
        if some_have_bcrypt and not (stored and is_bcrypt(stored)):
            decoys.append(BCRYPT_DECOY)
        succeeding: asyncio.Task[None] | None = None
        async with self._turn():
            if trial is not None:
                await trial.begin()
            verdict = await self._run(_verify, password, stored, decoys)
            others = asyncio.get_running_loop().create_future()
            self._checked.append(others)
            if verdict and trial is not None:
                succeeding = asyncio.create_task(trial.succeed())
        if succeeding is not None:
            await succeeding
        await others
        return verdict

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_ROOM:
            raise BusyError("too many passwords are being checked")
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1
            self._ended += 1
            if not self._waiting or self._ended >= TOGETHER:
                self._let_go()

    def _let_go(self) -> None:
        self._ended = 0
        for each in self._checked:
            if not each.done():
                each.set_result(None)
        self._checked.clear()

    async def _run[*Arguments, T](
        self, work: Callable[[*Arguments], T], *arguments: *Arguments
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, work, *arguments)


def _step_back() -> None:
    """Let the event loop go first where there are not enough processors for all threads."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def is_bcrypt(stored: str) -> bool:
    """Whether a stored hash is one of the original installation."""
    return stored.startswith(BCRYPT_PREFIXES)


def _hash(password: str) -> str:
    salt = os.urandom(SALT_BYTES)
    kdf = Argon2id(
        salt=salt, length=HASH_BYTES, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB
    )
    return kdf.derive_phc_encoded(_normalised(password).encode())


def _hash_unbreached(password: str) -> str:
    if is_breached(_normalised(password)):
        raise BreachedError(BREACHED)
    return _hash(password)


def _normalised(password: str) -> str:
    """The password in NFKC; a very long one stays, which would take long."""
    return password if len(password) > NORMALISED_LIMIT else normalize("NFKC", password)


def _verify(password: str, stored: str | None, decoys: Sequence[str]) -> Verdict:
    """Try it normalised, and as it was typed where that is something else."""
    normalised = _normalised(password)
    for spelling in dict.fromkeys((normalised, password)):
        if stored is not None and _matches(spelling, stored):
            is_outdated = is_bcrypt(stored) or spelling != normalised
            return Verdict.OUTDATED if is_outdated else Verdict.RIGHT
        for decoy in decoys:
            _matches(spelling, decoy)
    return Verdict.WRONG


def _matches(password: str, stored: str) -> bool:
    try:
        if is_bcrypt(stored):
            return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], stored.encode())
        Argon2id.verify_phc_encoded(password.encode(), stored)
    except (InvalidKey, ValueError):  # ValueError: a stored text that is no hash
        return False
    return True
