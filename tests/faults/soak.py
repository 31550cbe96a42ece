"""The load for as long as one wants, seed after seed: `python -m tests.faults.soak SECONDS [SEED]`.

Ends with 1 when something was wrong, or a service has grown.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import count
from time import monotonic

import psutil

from shared.process.memory import ROUND_SECONDS
from tests.faults.installation import Installation, run_installation
from tests.faults.load import Load, register_users
from tests.system import start_executed

MOST_GROWN = 1.2  # times what a service held before the load
REST_SECONDS = ROUND_SECONDS + 5  # then what is free was given back
MIB = 1024 * 1024


async def soak(duration: float, first_seed: int) -> bool:
    """Run plans until the time is over; whether nothing was wrong. Prints as it goes on."""
    faults = Counter[str]()
    messages = failures = 0
    wrongs: list[str] = []
    async with AsyncExitStack() as stack:
        # Each in a Python of its own: of one that is forked the system counts what others loaded.
        running = run_installation("short_lease", has_doors=True, start_module=start_executed)
        installation = await stack.enter_async_context(running)
        users = await register_users(stack, installation)
        held = await _measure(installation)
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
        wrongs += _compare(held, await _measure(installation))
    tried = ", ".join(f"{times} × {name}" for name, times in faults.items())
    print(f"{messages} messages, {failures} failed, {faults.total()} faults: {tried}")
    print(f"{len(wrongs)} wrongs", *wrongs, sep="\n        ")
    return not wrongs


async def _measure(installation: Installation) -> Mapping[str, float]:
    """MiB that the largest gateway and the largest bridge hold, some seconds after the load."""
    await asyncio.sleep(REST_SECONDS)
    kinds = {"gateway": installation.gateways, "bridge": installation.bridges}
    return {
        kind: max(psutil.Process(child.pid).memory_info().rss for child in children) / MIB
        for kind, children in kinds.items()
    }


def _compare(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """What has grown too much. Prints all."""
    wrongs = []
    for kind, held in after.items():
        told = f"the largest {kind}: {before[kind]:.0f} MiB at first, {held:.0f} in the end"
        print(told, flush=True)
        if held > MOST_GROWN * before[kind]:
            wrongs.append(told)
    return wrongs


if __name__ == "__main__":
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.exit(0 if asyncio.run(soak(float(sys.argv[1]), seed)) else 1)
