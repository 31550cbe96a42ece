"""The load for as long as one wants, seed after seed: `python -m tests.faults.soak SECONDS [SEED]`.

Ends with 1 when something was wrong.
"""

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count
from time import monotonic

from tests.faults.installation import run_installation
from tests.faults.load import Load, register_users


async def soak(duration: float, first_seed: int) -> bool:
    """Run plans until the time is over; whether nothing was wrong. Prints as it goes on."""
    faults = Counter[str]()
    messages = failures = 0
    wrongs: list[str] = []
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(
            run_installation("short_lease", has_doors=True)
        )
        users = await register_users(stack, installation)
        began = monotonic()
        for seed in count(first_seed):
            if monotonic() - began > duration or wrongs:
                break
            load = Load(installation, users, seed)
            ledger = await load.run()
            wrongs = ledger.wrongs + installation.ended_by_themselves
            messages += ledger.messages
            failures += ledger.failures.total()
            faults.update(load.faults)
            print(f"{monotonic() - began:4.0f} s, seed {seed}: {', '.join(load.faults)}")
            print(f"        {ledger}", *wrongs, sep="\n        ", flush=True)
    tried = ", ".join(f"{times} × {name}" for name, times in faults.items())
    print(f"{messages} messages, {failures} failed, {faults.total()} faults: {tried}")
    print(f"{len(wrongs)} wrongs")
    return not wrongs


if __name__ == "__main__":
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.exit(0 if asyncio.run(soak(float(sys.argv[1]), seed)) else 1)
