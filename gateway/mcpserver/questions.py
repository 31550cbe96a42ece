"""What every call of a tool that asks has in common."""

from shared.codec.sizes import in_units

ORIGIN = "mcp"


class UnfitCallError(Exception):
    """The tool can't be called like that; the text says why, to whoever has called it."""


def fit(message: str, most_bytes: int) -> str:
    """The message. Raises UnfitCallError where it is larger than those of others."""
    if len(message.encode()) > most_bytes:
        raise UnfitCallError(f"What is asked must have at most {in_units(most_bytes)}")
    return message
