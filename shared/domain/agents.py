"""Agents as both services see them: their names, and those that the master agent may call."""

import re
import secrets
import string
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from unicodedata import normalize
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from shared.codec.sizes import in_units
from shared.codec.text import write_json

NAME_LIMIT = 55  # characters
ALIAS_LETTERS = 6
FUNCTION_NAME_LIMIT = 64  # of model providers
DIGEST_LETTERS = 8
FITTED_LIMIT = FUNCTION_NAME_LIMIT - ALIAS_LETTERS - DIGEST_LETTERS - 2
DETAILS_LIMIT = 64 * 1024  # bytes of description and schema: each request carries all agents'
TOO_LARGE = f"An agent's description and schema must not be larger than {in_units(DETAILS_LIMIT)}"

_accent = re.compile("[\u0300-\u036f]")
_not_of_a_function = re.compile("[^A-Za-z0-9_-]")

IS_FUNCTION = f"(length(alias) <= {FUNCTION_NAME_LIMIT} AND alias ~ '^[A-Za-z0-9_-]+$')"
"""In SQL: whether `function_name` of an alias is the alias itself."""

TASK_SCHEMA: dict[str, Any] = {
    "properties": {
        "task": {
            "type": "string",
            "description": "A meaningful, well-formulated task for the agent",
        },
        "text": {"type": "string"},
    },
    "required": ["task", "text"],
    "type": "object",
}
"""What an A2A agent is called with; cards say nothing of it."""

CalledWith = Annotated[
    dict[str, str],
    Meta(
        description="What its server wants to be sent with each call, where it does: that at "
        "`url`, and no other host or port to which `interfaces` may lead. Told to services alone "
        "that come by SERVICE_API_KEY."
    ),
]

NEEDS_FUNCTION_NAME = (
    "Model providers take no such name: a master agent has to go by `function_name` to call it"
)
UNDESCRIBED = "An agent that has not said what it does"


Interfaces = Annotated[
    list[dict[str, Any]] | UnsetType,
    Meta(
        description="Where an A2A agent is called by its card, best first, in the words of the "
        "protocol's version 1, whichever its card has: `url`, `protocolBinding`, "
        "`protocolVersion`, `tenant`."
    ),
]
FunctionName = Annotated[
    str | UnsetType,
    Meta(
        description="A name that model providers take for a function, of up to 64 letters, digits, "
        "`_` and `-`; where `name` or `alias` is none, or is not its own. It stays the same."
    ),
]
NewerOnly = Annotated[
    str | UnsetType,
    Meta(description="Why no master agent of the original can call it, where none can."),
]
SharedBy = Annotated[
    str | UnsetType, Meta(description="The name of its owner, where that is another user.")
]
IsShared = Annotated[
    bool | UnsetType,
    Meta(description="`true` where another user shares it; he alone can change it."),
]


@frozen(slots=False)
class ActiveConnection:
    """Something that the master agent may call."""

    id: UUID
    name: str
    type: str
    agent_schema: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    is_active: bool
    url: str | UnsetType = UNSET
    flow: list[UUID] | UnsetType = UNSET
    function_name: FunctionName = UNSET
    interfaces: Interfaces = UNSET
    newer_only: NewerOnly = UNSET
    headers: CalledWith | UnsetType = UNSET
    owner: SharedBy = UNSET
    shared: IsShared = UNSET


def normalise_name(name: str) -> str:
    """The stored form of an agent's or flow's name: lower case, blanks as `_`, not too long."""
    return name.strip().lower().replace(" ", "_")[:NAME_LIMIT]


def details_size(description: str, schema: dict[str, Any]) -> int:
    """The bytes of what an agent says of itself."""
    return len(description.encode()) + len(write_json(schema))


def is_too_large(description: str, schema: dict[str, Any]) -> bool:
    """Whether what an agent says of itself is more than is stored."""
    return details_size(description, schema) > DETAILS_LIMIT


def make_alias(name: str) -> str:
    """What the master agent knows an agent or a flow by: a name for a function, and its own.

    Model providers take 64 of few characters, and refuse a whole chat for one function that has
    others.
    """
    return make_tool_alias(_fit(name, NAME_LIMIT, "agent") if name else "")


def function_name(alias: str) -> str:
    """What model providers may know a tool by: its alias, or one that is made of it alone."""
    if len(alias) <= FUNCTION_NAME_LIMIT and not _not_of_a_function.search(alias):
        return alias
    name, _, letters = alias.rpartition("_")
    digest = sha256(alias.encode()).hexdigest()[:DIGEST_LETTERS]
    fitted = _fit(name, FITTED_LIMIT, "tool")
    return f"{fitted}_{digest}_{_fit(letters, ALIAS_LETTERS, '')}"


def _fit(name: str, limit: int, otherwise: str) -> str:
    """The name in characters that functions may have; otherwise, where nothing is left of it."""
    plain = _accent.sub("", normalize("NFKD", name))
    fit = _not_of_a_function.sub("_", plain)[:limit]
    return fit if fit.strip("_") else otherwise


def make_tool_alias(name: str) -> str:
    """What the master agent knows a tool by: it calls it by what stands before the letters."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(ALIAS_LETTERS))
    return f"{name}_{letters}"


def name_function(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema with its function, if there is one, under this name."""
    function = schema.get("function")
    if not isinstance(function, dict):
        return schema
    return {**schema, "function": {**function, "name": name}}


def callable_schema(schema: dict[str, Any], name: str, description: str) -> dict[str, Any]:
    """The schema of a function that can be called, whatever an agent has said of itself.

    What it has not said is added: one function that a language model refuses is the end of every
    chat of its owner. A function as it ought to be stays as it came, under this name.
    """
    function = schema.get("function")
    if not isinstance(function, dict):
        schema, function = {}, {"parameters": schema}
    whole = {
        **function,
        "name": name,
        "description": _said(function.get("description")) or described(description),
        "parameters": _parameters(function.get("parameters")),
    }
    return {**schema, "type": "function", "function": whole}


def tool_schema(name: str, description: str, input_schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a tool that can be called: its input schema with title and description."""
    stated = input_schema.get("properties")
    properties = stated if isinstance(stated, dict) else {}
    named = {"type": "object", "properties": properties, "title": name, "description": description}
    return {**input_schema, **named} if properties else {"required": [], **input_schema, **named}


def text_parameter(schema: dict[str, Any]) -> str | None:
    """The parameter that takes the one text that an agent or a tool wants; None: it wants others.

    The schema is as it was stored. It wants one text if that is all that it requires; if it
    requires nothing, it has to have one place alone where a text can go.
    """
    parameters = parameters_of(schema)
    properties = parameters.get("properties", {})
    required = parameters.get("required") or [
        name for name, rule in properties.items() if _is_text(rule)
    ]
    match required:
        case [str(name)] if _is_text(properties.get(name)):
            return name
    return None


def required_parameters(schema: dict[str, Any]) -> list[str]:
    """The parameters that an agent requires; its schema is as it was stored."""
    required = parameters_of(schema).get("required")
    return (
        [each for each in required if isinstance(each, str)] if isinstance(required, list) else []
    )


def parameters_of(schema: dict[str, Any]) -> dict[str, Any]:
    """What an agent is called with, by its schema as it was stored: the schema of an object."""
    function = schema.get("function")
    return _parameters(function.get("parameters") if isinstance(function, dict) else schema)


def _is_text(rule: object) -> bool:
    """Whether any text will do."""
    match rule:
        case {"enum": _} | {"const": _}:
            return False
        case {"type": "string"}:
            return True
        case {"type": [*types]}:
            return "string" in types
        case {"anyOf": [*rules]} | {"oneOf": [*rules]}:
            return any(map(_is_text, rules))
    return False


def described(description: str) -> str:
    """What is said of an agent, or that nothing is."""
    return _said(description) or UNDESCRIBED


def _said(value: object) -> str:
    return value if isinstance(value, str) and value.strip() else ""


def _parameters(stated: Any) -> dict[str, Any]:
    match stated:
        case {"type": "object"} if isinstance(stated.get("properties", {}), dict):
            return dict(stated)
        case {"properties": dict()}:
            return {**stated, "type": "object"}
    return {"type": "object", "properties": {}}
