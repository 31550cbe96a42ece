"""The tools of an MCP server, each read for itself: one that is no good leaves the others."""

from collections.abc import Iterable
from typing import Annotated, Any

from attrs import frozen
from msgspec import Meta

from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.codec.hooks import Rule

SHOWN_NAME = 100  # characters


def _objection(schema: dict[str, Any]) -> str | None:
    """The master agent makes a function of it, and a provider refuses all of a chat's for one."""
    if schema.get("type", "object") != "object":
        return "is not of an object"
    return None if isinstance(schema.get("properties", {}), dict) else "has no valid properties"


@frozen
class Annotations:
    """Hints about a tool, of all versions of the protocol."""

    title: str | None = None
    readOnlyHint: bool | None = None  # noqa: N815 (the protocol's words)
    destructiveHint: bool | None = None  # noqa: N815
    idempotentHint: bool | None = None  # noqa: N815
    openWorldHint: bool | None = None  # noqa: N815


@frozen
class FoundTool:
    """A tool as its server describes it."""

    name: Annotated[str, Meta(min_length=1)]
    inputSchema: Annotated[dict[str, Any], Rule(_objection)]  # noqa: N815
    description: str | None = None
    annotations: Annotations | None = None


def read_tools(listed: Iterable[object]) -> tuple[list[FoundTool], list[str]]:
    """The good tools, the last of each name; and what is wrong with the others."""
    tools: dict[str, FoundTool] = {}
    faults = []
    for one in listed:
        try:
            tool = structure(one, FoundTool)
        except InvalidInputError as error:
            name = one.get("name") if isinstance(one, dict) else one
            faults.append(f"{str(name)[:SHOWN_NAME]} ({error})")
        else:
            tools[tool.name] = tool
    return list(tools.values()), faults
