"""What strangers say and what is no good of it: it is left out, and named with the reason."""

import logging
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from gateway.remote.texts import storable
from gateway.remote.urls import show

logger = logging.getLogger(__name__)

NAMED_LIMIT = 100  # of what is left out
NAME_LIMIT = 100  # characters
REASON_LIMIT = 300  # characters


@frozen
class LeftOut:
    """Something that is left out, by the name that its server gives it, and why."""

    name: str
    reason: str


def describe(left_out: Sequence[LeftOut], kind: str) -> dict[str, Any] | None:
    """How many things of a kind are left out, and the first of them; None: there are none."""
    if not left_out:
        return None
    named = [
        {
            "name": storable(one.name[:NAME_LIMIT]),
            "reason": storable(one.reason[:REASON_LIMIT]),
        }
        for one in left_out[:NAMED_LIMIT]
    ]
    return {"count": len(left_out), kind: named}


def log_left_out(left_out: Sequence[LeftOut], kind: str, whose: str, url: str) -> None:
    """Say how many things of a kind are left out, where there are any, and which is the first."""
    if left_out:
        text = "%s %s: %d of its %s are left out, the first is %s (%s)"
        first = left_out[0]
        count, name = len(left_out), first.name[:NAME_LIMIT]
        logger.info(text, whose, show(url), count, kind, name, first.reason)
