"""Schemas of what can be called, as JSON: made once, and remembered, as they are asked for again
with each list and change seldom."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gateway.web.told import Json
from shared.codec.text import write_json

MOST_KNOWN = 4096
KNOWN_LIMIT = 1024  # characters of what is stored of one; a larger one is made each time


def known_schema(
    make: Callable[[str, str, str, str], dict[str, Any]],
    name: str,
    description: str,
    kind: str,
    stored: str,
) -> Json:
    """What is made of these texts, and of nothing else."""
    is_large = len(stored) + len(description) > KNOWN_LIMIT
    return (_made.__wrapped__ if is_large else _made)(make, name, description, kind, stored)


@lru_cache(MOST_KNOWN)
def _made(
    make: Callable[[str, str, str, str], dict[str, Any]],
    name: str,
    description: str,
    kind: str,
    stored: str,
) -> Json:
    return Json(write_json(make(name, description, kind, stored)).decode())
