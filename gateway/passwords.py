"""Password hashes: Argon2id at OWASP's parameters, in threads of their own."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

THREADS = 2
TURNS = THREADS + 1  # one is begun or finished while the others are hashed
WAITING_ROOM = 500  # about seven seconds of work on two cores

NICENESS = 10
MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1  # more of them in two threads at once hang or raise MemoryError
SALT_BYTES = 16
HASH_BYTES = 32


class BusyError(Exception):
    """More passwords wait to be hashed than the waiting room holds."""


class Trial(Protocol):
    """Told when a password's turn comes, and whether it was the right one."""

    async def begin(self) -> None:
        """Before any work; what it raises is raised, and there is none."""

    async def succeed(self) -> None:
        """It was, and the turn is not over yet."""


class Passwords:
    """Hashes and verifies off the event loop, a bounded number at a time."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(THREADS, "argon2", _step_back)
        self._turns = asyncio.Semaphore(TURNS)
        self._waiting = 0
        # Verified in place of the hash of a user who does not exist: it takes the same time.
        self._decoy = _hash(os.urandom(SALT_BYTES).hex())

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises BusyError."""
        async with self._turn():
            return await self._run(_hash, password)

    async def verify(self, password: str, stored: str | None, trial: Trial | None = None) -> bool:
        """Whether the password is the one whose hash is stored. Raises BusyError."""
        async with self._turn():
            if trial is not None:
                await trial.begin()
            matches = await self._run(_verify, password, stored or self._decoy)
            succeeded = matches and stored is not None
            if succeeded and trial is not None:
                await trial.succeed()
            return succeeded

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

    async def _run[*Arguments, T](
        self, work: Callable[[*Arguments], T], *arguments: *Arguments
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, work, *arguments)


def _step_back() -> None:
    """Let the event loop go first where there are not enough processors for all threads."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _hash(password: str) -> str:
    salt = os.urandom(SALT_BYTES)
    kdf = Argon2id(
        salt=salt, length=HASH_BYTES, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB
    )
    return kdf.derive_phc_encoded(password.encode())


def _verify(password: str, stored: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored)
    except (InvalidKey, ValueError):  # ValueError: a stored text that is no Argon2id hash
        return False
    return True
