"""Whose things a list has: the owner's own, or also those that others share with him."""

from typing import Literal

TABLES = {
    "agents": "agents",
    "cards": "a2acards",
    "flows": "agentworkflows",
    "servers": "mcpservers",
}


def listed(kind: Literal["agents", "cards", "flows", "servers"], *, shared: bool) -> str:
    """What to select from: all that the owner may use, or his own; who wants less leaves it out.

    What is shared is found by all shares of all groups of the owner: for his own, by one whose
    groups have thousands, that took PostgreSQL fifteen times as long as the list.
    """
    own = f"(SELECT * FROM {TABLES[kind]} WHERE creator_id = :owner)"  # noqa: S608 (tables of ours)
    return f"usable_{kind}(:owner)" if shared else own
