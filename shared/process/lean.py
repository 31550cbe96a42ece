"""Loading a service without what its libraries only look for: memory, and time to start."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Loaded by libraries where they find it, for what no service does: 7 MiB.
UNUSED = (
    "greenlet",  # by SQLAlchemy, for its own engine in asyncio
    "opentelemetry.sdk.metrics",  # by redis, for metrics of its own
    "rich",  # by structlog, for tracebacks in colours
)

# New objects after which they are looked through for garbage; so many looks after which what stayed
# is, once more; and so many of these after which all is. A thousand objects hold the loop for about
# 0.6 ms, and a socket's 95 stay. Only what refers to itself needs it; nothing here leaves any
# (`tests/gateway/test_garbage.py`).
GARBAGE_THRESHOLDS = (10_000, 2, 2_000)


@contextmanager
def lean() -> Iterator[None]:
    """Load in this block what is used, and seldom look for garbage among what only grows.

    None in the place of a module: to whoever imports it, it is not installed.
    """
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    absent = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
