"""Password hashes: Argon2id at OWASP's parameters, in threads of their own."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

THREADS = 2
TURNS = 2 * THREADS  # while one is admitted, another one is hashed
WAITING_ROOM = 500  # about seven seconds of work on two cores

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1  # more of them in two threads at once hang or raise MemoryError
SALT_BYTES = 16
HASH_BYTES = 32


class BusyError(Exception):
    """More passwords wait to be hashed than the waiting room holds."""


class Passwords:
    """Hashes and verifies off the event loop, a bounded number at a time."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(THREADS, "argon2")
        self._turns = asyncio.Semaphore(TURNS)
        self._waiting = 0
        # Verified in place of the hash of a user who does not exist: it takes the same time.
        self._decoy = _hash(os.urandom(SALT_BYTES).hex())

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises BusyError."""
        return await self._run(_hash, password)

    async def verify(
        self, password: str, stored: str | None, admit: Callable[[], Awaitable[None]] | None = None
    ) -> bool:
        """Whether the password is the one whose hash is stored.

        `admit` is awaited when its turn has come, before any work. Raises BusyError, and what
        `admit` raises.
        """
        matches = await self._run(_verify, password, stored or self._decoy, admit=admit)
        return matches and stored is not None

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run[*Arguments, T](
        self,
        work: Callable[[*Arguments], T],
        *arguments: *Arguments,
        admit: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        if self._waiting >= WAITING_ROOM:
            raise BusyError("too many passwords are being checked")
        self._waiting += 1
        try:
            async with self._turns:
                if admit is not None:
                    await admit()
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._executor, work, *arguments)
        finally:
            self._waiting -= 1


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
