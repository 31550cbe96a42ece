"""Memory that was free for a while is given back to the system; glibc would keep it for ever."""

import asyncio
import ctypes
import sys

ROUND_SECONDS = 30.0
M_ARENA_MAX = -8  # malloc.h

_libc = ctypes.CDLL(None)
_is_glibc = sys.platform == "linux" and hasattr(_libc, "malloc_trim")


def share_one_arena() -> None:
    """Have all threads take memory from one place: from others `malloc_trim` gives none back.

    To be called before there are threads. Two that hash passwords kept 19 MiB each.
    """
    if _is_glibc:
        _libc.mallopt(M_ARENA_MAX, 1)


async def give_back() -> None:
    """Give back for ever what is free, in a thread."""
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        if _is_glibc:
            await asyncio.to_thread(_libc.malloc_trim, 0)
