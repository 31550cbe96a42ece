"""The tools of an MCP server, each read for itself: one that is no good leaves the others."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any

import attrs
from attrs import frozen
from msgspec import Meta

from gateway.mcp.flattening import Budget, UnfitError, flatten
from gateway.remote.left_out import NAME_LIMIT, LeftOut
from gateway.remote.texts import is_spoilt, storable
from shared.codec.converter import structure
from shared.codec.depth import is_too_deep
from shared.codec.faults import InvalidInputError
from shared.codec.sizes import in_units
from shared.codec.text import write_json
from shared.domain.agents import DETAILS_LIMIT

MOST_TOOLS = 1000
ALL_LIMIT = 1024 * 1024  # bytes of all tools' descriptions and schemas
READ = ("name", "description", "inputSchema", "annotations")
READ_ALONE = frozenset({"title", "description", "$comment"})


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

    name: str
    inputSchema: dict[str, Any]  # noqa: N815
    description: str | None = None
    annotations: Annotations | None = None
    flattened: dict[str, Any] | None = None
    """The input schema in the form that all providers take, where it is not in that form itself."""


@frozen
class FoundServer:
    """A server as it was found."""

    tools: list[FoundTool]
    """The good ones, each name once."""
    left_out: list[LeftOut]
    is_whole: bool
    """Whether it has no others than these."""
    info: dict[str, Any]
    version: str | None
    """Of the protocol, that is spoken with it."""
    digest: str | None
    """Of the tools as they were listed, where one request without a session gets them all."""


@frozen
class _Listed:
    """What a tool has to have."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None


class Reading:
    """The tools of one server: the good ones, the last of each name; and the others."""

    def __init__(self) -> None:
        self.tools: dict[str, FoundTool] = {}
        self.left_out: list[LeftOut] = []
        self._budget = Budget()
        self._sizes: dict[str, int] = {}
        self._size = 0

    def read(self, listed: Iterable[object]) -> None:
        """Take these, as far as they are good."""
        for one in listed:
            try:
                self._take(*self._read_tool(one))
            except (InvalidInputError, UnfitError) as error:
                self.left_out.append(LeftOut(_find_name(one), str(error)))

    def _take(self, tool: FoundTool, size: int) -> None:
        """Raises UnfitError for more than there may be."""
        is_known = tool.name in self.tools
        if not is_known and len(self.tools) == MOST_TOOLS:
            raise UnfitError(f"its server has more than {MOST_TOOLS:,} tools")
        grown = self._size + size - self._sizes.get(tool.name, 0)
        if grown > ALL_LIMIT:
            raise UnfitError(f"its server's tools are larger than {in_units(ALL_LIMIT)} together")
        if is_known:
            self.left_out.append(LeftOut(tool.name, "another tool has the same name"))
        self.tools[tool.name] = tool
        self._size, self._sizes[tool.name] = grown, size

    def _read_tool(self, one: object) -> tuple[FoundTool, int]:
        """A tool, and its size in bytes. Raises InvalidInputError and UnfitError."""
        if isinstance(one, dict):
            one = {key: one[key] for key in READ if key in one}
            one = _mend(one) if is_spoilt(one) else one
        stated = structure(one, _Listed)
        assert isinstance(one, dict)
        own = one.get("inputSchema")
        flattened = flatten(own, self._budget)
        schema = own if isinstance(own, dict) and (not flattened or _is_storable(own)) else None
        schema = schema or flattened or {}
        description = stated.description
        sizes = [len(write_json(each)) for each in (schema, flattened)]
        size = max(sizes) + len((description or "").encode())
        if size > DETAILS_LIMIT:
            limit = in_units(DETAILS_LIMIT)
            raise UnfitError(f"its description and schema are larger than {limit}")
        flattened = None if schema is flattened else flattened
        hints = _read_annotations(one.get("annotations"))
        return FoundTool(stated.name, schema, description, hints, flattened), size


def digest_of(listed: list[Any]) -> str:
    """Of tools as they were listed, good or not."""
    return sha256(json.dumps(listed).encode()).hexdigest()


def _find_name(one: object) -> str:
    name = one.get("name") if isinstance(one, dict) else one
    return name if isinstance(name, str) else str(name)[:NAME_LIMIT]


def _is_storable(schema: dict[str, Any]) -> bool:
    return not is_too_deep(schema) and len(write_json(schema)) <= DETAILS_LIMIT


def _read_annotations(stated: object) -> Annotations | None:
    """Hints, without those that are none."""
    if not isinstance(stated, dict):
        return None
    kinds = {name: str if name == "title" else bool for name in attrs.fields_dict(Annotations)}
    hints = {k: v for k, v in stated.items() if isinstance(v, kinds.get(k, ()))}
    return structure(hints, Annotations)


def _mend(value: Any, key: str = "") -> Any:
    """The same without such, where it is only read. Raises UnfitError where it is a name."""
    match value:
        case str() if is_spoilt(value):
            if key not in READ_ALONE:
                raise UnfitError("it has characters in names or values that can't be stored")
            return storable(value)
        case dict():
            return {_mend(name): _mend(one, name) for name, one in value.items()}
        case list():
            return [_mend(one, key) for one in value]
    return value
