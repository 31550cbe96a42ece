"""What can be called: the tool `ask`, and a tool for each agent and flow that is active."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from databases.core import Connection
from mcp import MCPError
from mcp.shared.inbound import validate_mcp_param_headers
from mcp_types import INVALID_PARAMS
from starlette.datastructures import Headers

from gateway.mcpserver.arguments import SHOWN_LIMIT, objection_to
from gateway.mcpserver.asking import ASK, ASKING, question_to_master
from gateway.mcpserver.exchanges import Exchange
from gateway.mcpserver.questions import ORIGIN, UnfitCallError, fit
from gateway.openapi.schemas import Json
from gateway.streams.questions import Question
from gateway.streams.targets import Target, find_callable, list_callable
from shared.codec.text import write_json
from shared.domain.agents import described

NAME_LIMIT = 64  # characters, as providers of models take
HEX_DIGITS = 32  # of an id
FLOWS_BYTES_LIMIT = 1024 * 1024  # of those that are listed; their agents have as many by themselves

_name = re.compile(rf"[a-zA-Z0-9_-]{{1,{NAME_LIMIT}}}")
_unfit = re.compile(r"[^a-zA-Z0-9_-]")


async def list_tools(connection: Connection, owner: UUID) -> list[Json]:
    """What the owner may call now, each under a name of its own."""
    tools: dict[str, Json] = {ASK: ASKING}
    flows_size = 0  # with the schemas of their first agents, which are counted once where they came
    for target in await list_callable(connection, owner):
        alias = target.name
        name = alias if _name.fullmatch(alias) and alias not in tools else _long_name_of(target)
        tool = _described(target, name)
        if target.kind == "flow":
            flows_size += len(write_json(tool))
            if flows_size > FLOWS_BYTES_LIMIT:
                continue
        tools[name] = tool
    return [*tools.values()]


async def question_of(
    connection: Connection, owner: UUID, exchange: Exchange, headers: Headers, most_bytes: int
) -> Question:
    """What a call of a tool asks. Raises MCPError where there is none, and UnfitCallError."""
    params = exchange.params or {}
    name, arguments = params["name"], params.get("arguments") or {}
    message_id = None if exchange.id is None else exchange.called(owner, exchange.id)
    if name == ASK:
        return await question_to_master(connection, owner, message_id, arguments, most_bytes)
    target = await _find(connection, owner, name)
    if target is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:SHOWN_LIMIT]}")
    if exchange.is_modern:
        _check_headers(target, arguments, headers)
    if objection := objection_to(arguments, target.parameters):
        raise UnfitCallError(objection)
    text = _text_in(target, arguments)
    message = write_json(arguments).decode() if text is None else text
    return Question(
        user_id=owner,
        session_id=uuid4(),
        message=fit(message, most_bytes),
        asked_id=target.id,
        has_arguments=text is None,
        message_id=message_id,
        origin=ORIGIN,
    )


async def _find(connection: Connection, owner: UUID, name: str) -> Target | None:
    """Who is listed under this name, or was: who has it meanwhile too is found by the alias."""
    if (target := await find_callable(connection, owner, name)) is not None:
        return target
    id_ = _id_in(name)
    return None if id_ is None else await find_callable(connection, owner, str(id_))


def _id_in(name: str) -> UUID | None:
    """The id that a long name ends with."""
    try:
        return UUID(hex=name[-HEX_DIGITS:]) if name[-HEX_DIGITS - 1 : -HEX_DIGITS] == "_" else None
    except ValueError:
        return None


def _long_name_of(target: Target) -> str:
    """A name that fits and nothing else has, for an alias that does not, or is another's too."""
    return f"{_unfit.sub('_', target.name)[: NAME_LIMIT - HEX_DIGITS - 1]}_{target.id.hex}"


def _described(target: Target, name: str) -> Json:
    return {
        "name": name,
        "description": described(target.description),
        "inputSchema": _input_schema(target.parameters),
    }


def _input_schema(parameters: Mapping[str, Any]) -> Json:
    """The schema, without what costs clients the whole list: they check each as a part of it."""
    properties: Mapping[str, Any] = parameters.get("properties", {})
    mended = {name: _as_object(rule) for name, rule in properties.items()}
    schema = {**parameters, "properties": mended}
    required = schema.pop("required", [])
    if isinstance(required, list):
        schema["required"] = [name for name in required if isinstance(name, str)]
    if not isinstance(schema.get("$schema", ""), str):
        del schema["$schema"]
    return schema


def _as_object(rule: object) -> Json:
    if isinstance(rule, dict):
        return rule
    return {"not": {}} if rule is False else {}


def _check_headers(target: Target, arguments: Mapping[str, Any], headers: Headers) -> None:
    """Raises MCPError where headers that a schema asks for say other arguments."""
    found = validate_mcp_param_headers(target.parameters, arguments, headers)
    if found is not None:
        raise MCPError(found.code, found.message, found.data)


def _text_in(target: Target, arguments: Mapping[str, Any]) -> str | None:
    """The text, where it is all that is given to who wants one text; None: there is more."""
    match [*arguments.items()]:
        case [(name, str(text))] if name == target.text_parameter and text:
            return text
    return None
