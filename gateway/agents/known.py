"""Schemas of what can be called, as JSON: made once, and remembered, as they are asked for again
with each list and change seldom."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from msgspec import Raw

from shared.codec.text import write_json

MOST_KNOWN = 4096
KNOWN_LIMIT = 1024  # characters that one is made of; a larger one is made each time


def known_schema(make: Callable[..., dict[str, Any]], *texts: str) -> Any:
    """What is made of these texts, and of nothing else."""
    if sum(map(len, texts)) > KNOWN_LIMIT:
        return Raw(write_json(make(*texts)))
    return Raw(_made(make, *texts))


@lru_cache(MOST_KNOWN)
def _made(make: Callable[..., dict[str, Any]], *texts: str) -> bytes:
    return write_json(make(*texts))
