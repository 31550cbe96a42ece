"""The tool `ask`: what it is called with, and the question that this makes."""

from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import attrs
from attrs import field, frozen
from databases.core import Connection
from msgspec import Meta

from gateway.mcpserver.questions import ORIGIN, UnfitCallError, fit
from gateway.openapi.schemas import Json, make_schemas, without_null
from gateway.streams.asking import FILES_LIMIT, session_of
from gateway.streams.questions import Question
from gateway.streams.targets import find_config
from gateway.web.sentences import sentence
from shared.codec.converter import structure
from shared.codec.faults import Fault, InvalidInputError

ASK = "ask"
SESSION_LIMIT = 255  # characters of a name


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


async def question_to_master(
    connection: Connection,
    owner: UUID,
    message_id: UUID | None,
    arguments: dict[str, Any],
    most_bytes: int,
) -> Question:
    """What it asks. Raises UnfitCallError."""
    try:
        given = structure(arguments, AskArguments)
    except InvalidInputError as error:
        [fault, *_] = error.faults
        raise UnfitCallError(_told(fault)) from None
    if given.config and await find_config(connection, owner, given.config) is None:
        raise UnfitCallError(f"There is no model config that is called '{given.config}'")
    return Question(
        user_id=owner,
        session_id=session_of(owner, given.session_id) if given.session_id else uuid4(),
        message=fit(given.message, most_bytes),
        config_name=given.config,
        file_ids=given.file_ids or [],
        message_id=message_id,
        origin=ORIGIN,
    )


def _told(fault: Fault) -> str:
    """What is wrong with a fault's argument, as with those of any tool."""
    if fault.type == "missing":
        return f"'{fault.loc[-1]}' is missing"
    if fault.type == "extra_forbidden":
        return f"There is no '{fault.loc[-1]}' to be given"
    return sentence(attrs.evolve(fault, loc=("arguments", *fault.loc)))
