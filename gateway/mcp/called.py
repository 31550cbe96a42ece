"""A tool that is called at its MCP server."""

from typing import Any

from attrs import field, frozen

type Result = dict[str, Any]
"""What it answers, in the protocol's words, as it came."""


@frozen
class Tool:
    """A tool, and how its server is called."""

    url: str
    name: str
    version: str | None
    """Of the protocol, that was spoken with the server the last time."""
    headers: dict[str, str] = field(repr=False)
