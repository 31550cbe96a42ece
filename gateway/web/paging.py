"""How lists are cut into pages."""

from typing import Annotated

from msgspec import Meta

MOST = 1000

Limit = Annotated[int, Meta(ge=0, description=f"How many; more than {MOST} are cut to {MOST}.")]
Offset = Annotated[int, Meta(ge=0, description="How many to leave out first.")]


def cut(limit: int) -> int:
    """The limit that is used for the one that was asked for."""
    return min(limit, MOST)
