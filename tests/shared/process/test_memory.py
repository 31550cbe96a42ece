"""What was in use for a while is no part of the process any more."""

import subprocess
import sys

MIB = 1024 * 1024

SCRIPT = """
import asyncio
from shared.process import memory
memory.share_one_arena()
memory.ROUND_SECONDS = 0.1
import psutil
from gateway.accounts.passwords import Passwords

def held():
    return psutil.Process().memory_info().rss

async def main():
    passwords = Passwords()
    await asyncio.gather(*(passwords.hash("secret") for _ in range(8)))
    before = held()
    giving = asyncio.create_task(memory.give_back())
    async with asyncio.timeout(10):
        while before - held() < 15 * 1024 * 1024:
            await asyncio.sleep(0.05)
    giving.cancel()
    print(before - held())

asyncio.run(main())
"""


def test_memory_that_hashed_passwords_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True)
    assert int(done.stdout) >= 15 * MIB
