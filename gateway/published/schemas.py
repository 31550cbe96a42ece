"""What clients send of publications, and what they are told."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.streams.targets import Kind
from gateway.web.examples import AGENT_ID
from gateway.web.paging import Limit, Offset
from shared.codec.hooks import Rule

LEAST_CHARACTERS = 3  # of an alias
ALIAS_LIMIT = 64  # characters
ALIAS_PATTERN = "^[a-z0-9_-]*$"
ANYTHING: Json = {"type": ["object", "array", "string", "number", "boolean", "null"]}
ODD_ALIAS = "'alias' must have small letters of ASCII, digits, '-' and '_' alone"

_alias = re.compile(ALIAS_PATTERN, re.ASCII)


def _objection(alias: str) -> str | None:
    return None if _alias.fullmatch(alias) else ODD_ALIAS


Alias = Annotated[
    str,
    Meta(
        min_length=LEAST_CHARACTERS,
        max_length=ALIAS_LIMIT,
        pattern=ALIAS_PATTERN,
        description="What its address has; null: the alias of the agent or flow, or one that is "
        "made of the config's name.",
    ),
    Rule(_objection),
]


@frozen
class NewPublication:
    """What is to be published: an agent, a flow, or the master agent with a model config."""

    example: ClassVar[Json] = {"kind": "agent", "id": AGENT_ID}

    kind: Kind
    id: UUID
    alias: Alias | None = None


@frozen(slots=False)
class Publication:
    """Something that is published; `url` is where programs call it, as `card_url` says."""

    alias: str
    kind: Kind
    id: UUID
    name: str
    created_at: datetime
    url: str
    card_url: str


@frozen
class PublicationAlias:
    """One publication."""

    alias: Annotated[str, Meta(description="Its alias.")]


@frozen
class OperationPath(PublicationAlias):
    """An operation of one publication."""

    operation: Annotated[
        str, Meta(description="As A2A has it: `message:send`, `tasks/{id}` and so on.")
    ]


@frozen
class RpcCall:
    """A request of JSON-RPC. Whatever else it is, the answer says what is wrong with it."""

    example: ClassVar[Json] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "message/send",
        "params": {
            "message": {
                "messageId": "1",
                "role": "user",
                "parts": [{"kind": "text", "text": "What is the time?"}],
            }
        },
    }
    added_schema: ClassVar[Json] = ANYTHING

    jsonrpc: Any = None
    id: Any = None
    method: Any = None
    params: Any = None


@frozen
class OperationBody:
    """What an operation takes, as A2A has it."""

    example: ClassVar[Json] = {
        "message": {
            "messageId": "1",
            "role": "ROLE_USER",
            "parts": [{"text": "What is the time?"}],
        }
    }
    added_schema: ClassVar[Json] = ANYTHING

    message: Any = None


@frozen
class PublicationPage:
    """Which of the user's publications to list."""

    limit: Limit = 100
    offset: Offset = 0
