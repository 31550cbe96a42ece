"""What can be called: the tool `ask`, and a tool for each agent and flow that is active."""

import re
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

from attrs import field, frozen
from databases.core import Connection
from mcp import MCPError
from mcp.shared.inbound import validate_mcp_param_headers
from mcp_types import INVALID_PARAMS
from msgspec import Meta
from starlette.datastructures import Headers

from gateway.mcpserver.arguments import objection_to
from gateway.mcpserver.exchanges import Exchange
from gateway.openapi.schemas import Json, make_schemas, without_null
from gateway.streams.asking import FILES_LIMIT, Question, session_of
from gateway.streams.targets import Target, find_callable, find_config, list_callable
from gateway.web.sentences import sentence
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.codec.sizes import in_units
from shared.codec.text import write_json

ASK = "ask"
ORIGIN = "mcp"
NAME_LIMIT = 64  # characters, as providers of models take
SESSION_LIMIT = 255  # characters of a name
HEX_DIGITS = 32  # of an id

_name = re.compile(rf"[a-zA-Z0-9_-]{{1,{NAME_LIMIT}}}")
_unfit = re.compile(r"[^a-zA-Z0-9_-]")


class UnfitCallError(Exception):
    """The tool can't be called like that; the text says why, to whoever has called it."""


@frozen
class AskArguments:
    """What the tool `ask` is called with."""

    forbid_extra_keys: ClassVar[bool] = True

    message: Annotated[str, Meta(min_length=1, description="What is asked.")] = field(repr=False)
    config: (
        Annotated[
            str, Meta(description="The name of the model config to use; the newest by default.")
        ]
        | None
    ) = None
    session_id: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=SESSION_LIMIT,
                description="The chat to go on in: what an answer before has named, or any name; "
                "a new chat by default.",
            ),
        ]
        | None
    ) = None
    file_ids: (
        Annotated[
            list[UUID],
            Meta(
                max_length=FILES_LIMIT,
                description="Files that go with the message: what their URIs end with.",
            ),
        ]
        | None
    ) = None


def _schema_of(class_: type) -> Json:
    schema = make_schemas([class_], []).components[class_.__name__]
    properties = {name: without_null(one) for name, one in schema["properties"].items()}
    return {
        "type": "object",
        "properties": {name: _without_default(one) for name, one in properties.items()},
        "required": schema["required"],
        "additionalProperties": False,
    }


def _without_default(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "default"}


ASKING: Json = {
    "name": ASK,
    "title": "Ask the master agent",
    "description": "Ask the master agent, which calls those of the user's agents, flows and tools "
    "that it needs, and answers with a text.",
    "inputSchema": _schema_of(AskArguments),
    "outputSchema": {
        "type": "object",
        "properties": {
            "answer": {"type": "string"},
            "session_id": {"type": "string", "description": "To go on in this chat."},
        },
        "required": ["answer", "session_id"],
    },
}


async def list_tools(connection: Connection, owner: UUID) -> list[Json]:
    """What the owner may call now."""
    tools: dict[str, Json] = {ASK: ASKING}
    for target in await list_callable(connection, owner):
        name = _name_of(target)
        tool = _described(target, _own_name_of(target) if name in tools else name)
        tools.setdefault(tool["name"], tool)
    return [*tools.values()]


async def question_of(
    connection: Connection, owner: UUID, exchange: Exchange, headers: Headers, most_bytes: int
) -> Question:
    """What a call of a tool asks. Raises MCPError, and UnfitCallError."""
    params = exchange.params or {}
    name, arguments = params["name"], params.get("arguments") or {}
    message_id = None if exchange.id is None else exchange.called(owner, exchange.id)
    if name == ASK:
        return await _asking(connection, owner, message_id, arguments, most_bytes)
    target = await _find(connection, owner, name)
    if target is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:NAME_LIMIT]}")
    if exchange.is_modern:
        _check_headers(target, arguments, headers)
    if objection := objection_to(arguments, target.parameters):
        raise UnfitCallError(objection)
    return Question(
        user_id=owner,
        session_id=uuid4(),
        message=_fit(_text_of(target, arguments), most_bytes),
        asked_id=target.id,
        message_id=message_id,
        origin=ORIGIN,
    )


async def _asking(
    connection: Connection,
    owner: UUID,
    message_id: UUID | None,
    arguments: dict[str, Any],
    most_bytes: int,
) -> Question:
    try:
        given = structure(arguments, AskArguments)
    except InvalidInputError as error:
        [fault, *_] = error.faults
        raise UnfitCallError(sentence(fault)) from None
    if given.config and await find_config(connection, owner, given.config) is None:
        raise UnfitCallError(f"There is no model config that is called '{given.config}'")
    return Question(
        user_id=owner,
        session_id=session_of(owner, given.session_id) if given.session_id else uuid4(),
        message=_fit(given.message, most_bytes),
        config_name=given.config,
        file_ids=given.file_ids or [],
        message_id=message_id,
        origin=ORIGIN,
    )
