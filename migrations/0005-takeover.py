"""Rows of the original that no client could read, and what a user there may lack.

Each repair reads the id and some columns of rows, and says what they should be instead; what is
right stays as it is. This is how the services read those rows when the migration was written, and
stays so: nothing that changes with them is imported.
"""

import json
import re
import secrets
import string
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen
from psycopg import Connection
from psycopg.rows import TupleRow
from yoyo import step

__depends__ = {"0004-open-requests"}

BATCH_ROWS = 1000
PACKED_LIMIT = 3  # times that JSON may be a text in JSON
DEPTH_LIMIT = 100  # levels of JSON that can be written again
ALIAS_LETTERS = 6
APART = {"name", "description", "url"}  # stored beside a card's content
EMPTY_ANSWER = "The master agent gave an empty answer."
DEEP_ANSWER = "The master agent gave an answer that is nested too deeply to be shown."
ALIAS_END = re.compile("_[a-z]{6}")
GONE = str(UUID(int=0))  # a member that nobody has: its flow is listed, and never active
MEMBER_TYPES = {"genai", "mcp", "a2a"}


@frozen
class Repair:
    """Reads with `select` the id, then what `repaired` takes; writes its result with `update`."""

    what: str
    select: str
    update: str
    repaired: Callable[..., tuple[Any, ...]]


def count_repairs(connection: Connection) -> dict[str, int]:
    """How many rows each repair would change."""
    return {repair.what: sum(1 for _ in _changes(connection, repair)) for repair in REPAIRS}


def repair_rows(connection: Connection) -> None:
    """Repair all rows in the transaction of the connection."""
    for repair in REPAIRS:
        with connection.cursor() as cursor:
            for change in _changes(connection, repair):
                cursor.execute(repair.update.encode(), change)


def _changes(connection: Connection, repair: Repair) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="to_repair") as cursor:
        cursor.execute(repair.select.encode())
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield from _changed(rows, repair)


def _changed(rows: list[TupleRow], repair: Repair) -> Iterator[tuple[Any, ...]]:
    """The new values and the id of each row that is not as it should be."""
    for id_, *stored in rows:
        repaired = repair.repaired(*stored)
        if repaired != tuple(stored[: len(repaired)]):
            yield (*repaired, id_)


def repair_object(stored: str) -> tuple[str]:
    """An object that may be packed into texts; what is none becomes an empty one."""
    return (_rewritten(stored, _as_object(_parse(stored))),)


def repair_card(
    content: str, name: str | None, alias: str | None, description: str | None, url: str, taken: int
) -> tuple[str, str, str, str]:
    """A card with its lists and without what is stored beside it."""
    card = _as_object(_parse(content))
    stated = name or card.get("name")
    named = (
        (stated.strip().replace(" ", "_") if isinstance(stated, str) else "")
        or urlsplit(url).netloc
        or "a2a"
    )
    described = card.get("description") if description is None else description
    return (
        _rewritten(content, _card_content(card)),
        name or named,
        alias if alias and taken == 1 else _make_alias(named),
        described if isinstance(described, str) else "",
    )


def repair_tool(
    schema: str, annotations: str | None, alias: str | None, name: str, taken: int
) -> tuple[str, str | None, str]:
    """A tool whose alias begins with its exact name, and is nobody else's."""
    named = alias is not None and alias.startswith(name)
    right = alias if named and alias and ALIAS_END.fullmatch(alias[len(name) :]) else None
    noted = None if annotations is None else _unpack(_parse(annotations))
    return (
        _rewritten(schema, _as_object(_parse(schema))),
        _rewritten(annotations, noted) if annotations and isinstance(noted, dict) else None,
        right if right and taken == 1 else _make_alias(name),
    )


def repair_flow(stored: str, types: dict[str, str]) -> tuple[str]:
    """A flow of members that can be read, whether or not they are still there."""
    members = _unpack(_parse(stored))
    given = members if isinstance(members, list) and members else [None]
    return (_rewritten(stored, [_member(each, types) for each in given]),)


def repair_answer(content: str) -> tuple[str]:
    """An answer as an object with the keys that front-ends read."""
    value = _parse(content)
    answer = _answer_from(content if value is None else value)
    return (content if answer == value else json.dumps(answer),)


def _member(given: object, types: dict[str, str]) -> dict[str, str]:
    stated: dict[str, Any] = given if isinstance(given, dict) else {"id": given}
    try:
        id_ = str(UUID(stated["id"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        return {"id": GONE, "type": "genai"}
    stated_type = stated.get("type")
    known = isinstance(stated_type, str) and stated_type in MEMBER_TYPES
    return {"id": id_, "type": str(stated_type) if known else types.get(id_, "genai")}


def _parse(text: str) -> Any:
    """The value of a JSON text as the services can read it; None for what is no JSON."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(value) else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _unpack(value: Any) -> Any:
    for _ in range(PACKED_LIMIT):
        if not isinstance(value, str):
            break
        value = _parse(value)
    return value


def _as_object(value: Any) -> dict[str, Any]:
    unpacked = _unpack(value)
    return unpacked if isinstance(unpacked, dict) else {}


def _rewritten(stored: str, value: Any) -> str:
    """The stored text where it says this already."""
    readable = _readable(value)
    return stored if _parse(stored) == readable else json.dumps(readable)


def _readable(value: Any) -> Any:
    """Without NUL and halves of characters, which JSON can hold and the services can't."""
    match value:
        case str():
            return value.replace("\0", "").encode(errors="replace").decode()
        case dict():
            return {_readable(key): _readable(one) for key, one in value.items()}
        case list():
            return [_readable(one) for one in value]
    return value


def _make_alias(name: str) -> str:
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(ALIAS_LETTERS))
    return f"{name}_{letters}"


def _card_content(card: dict[str, Any]) -> dict[str, Any]:
    """The content of a whole card: always with the lists, and nothing null."""
    content = {key: value for key, value in card.items() if key not in APART}
    skills = [_named(each) for each in _list(card.get("skills")) if isinstance(each, dict)]
    lists = {
        "defaultInputModes": _list(card.get("defaultInputModes")),
        "defaultOutputModes": _list(card.get("defaultOutputModes")),
        "skills": skills,
    }
    return _without_nulls({**content, **lists})


def _named(skill: dict[str, Any]) -> dict[str, Any]:
    name = skill.get("name")
    return {**skill, "name": name.replace(" ", "_")} if isinstance(name, str) else skill


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(one) for key, one in value.items() if one is not None}
        case list():
            return [_without_nulls(one) for one in value]
    return value


def _answer_from(value: Any) -> dict[str, Any]:
    """An answer that front-ends can draw; what has the form already stays as it came."""
    given = value if isinstance(value, dict) else {}
    kept = {name: part for name, part in given.items() if not _is_too_deep(part)}
    trace, succeeded = kept.get("agents_trace"), given.get("is_success")
    return {
        **(kept if "response" in given else {}),
        "agents_trace": trace if isinstance(trace, list) and "response" in given else [],
        "response": _text(given.get("response", value)) or EMPTY_ANSWER,
        "is_success": succeeded if isinstance(succeeded, bool) else True,
    }


def _text(value: Any) -> str:
    if _is_too_deep(value):
        return DEEP_ANSWER
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_too_deep(value: Any, limit: int = DEPTH_LIMIT) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_is_too_deep(part, limit - 1) for part in parts)


REPAIRS = (
    Repair(
        "A2A cards without their lists, stored twice over, or without a name or alias",
        """
        SELECT id, card_content::text, name, alias, description, server_url,
               row_number() OVER (PARTITION BY alias ORDER BY created_at, id)
        FROM a2acards
        """,
        """
        UPDATE a2acards SET card_content = %s, name = %s, alias = %s, description = %s
        WHERE id = %s
        """,
        repair_card,
    ),
    Repair(
        "MCP tools without an alias of their own, or with a schema that is none",
        """
        SELECT id, "inputSchema"::text, annotations::text, alias, name,
               row_number() OVER (PARTITION BY alias ORDER BY created_at, id)
        FROM mcptools
        """,
        'UPDATE mcptools SET "inputSchema" = %s, annotations = %s, alias = %s WHERE id = %s',
        repair_tool,
    ),
    Repair(
        "agents whose schema is none",
        "SELECT id, input_parameters::text FROM agents",
        "UPDATE agents SET input_parameters = %s WHERE id = %s",
        repair_object,
    ),
    Repair(
        "providers whose metadata is no object",
        "SELECT id, provider_metadata::text FROM modelproviders",
        "UPDATE modelproviders SET provider_metadata = %s WHERE id = %s",
        repair_object,
    ),
    Repair(
        "configs whose credentials are no object",
        "SELECT id, credentials::text FROM modelconfigs",
        "UPDATE modelconfigs SET credentials = %s WHERE id = %s",
        repair_object,
    ),
    Repair(
        "flows with members that can't be read",
        """
        SELECT id, flow::text, (
            SELECT coalesce(json_object_agg(member.id, member.type), '{}') FROM (
                SELECT id, 'genai' AS type FROM agents
                UNION ALL SELECT id, 'mcp' FROM mcptools
                UNION ALL SELECT id, 'a2a' FROM a2acards
            ) AS member
            WHERE position(member.id::text IN agentworkflows.flow::text) > 0
        )
        FROM agentworkflows
        """,
        "UPDATE agentworkflows SET flow = %s WHERE id = %s",
        repair_flow,
    ),
    Repair(
        "answers in chats that are no objects of the usual form",
        "SELECT id, content FROM chatmessages WHERE sender_type = 'master_agent'",
        "UPDATE chatmessages SET content = %s WHERE id = %s",
        repair_answer,
    ),
)

steps = [
    # While there is one, each failed login takes a verification of bcrypt's.
    step(
        "CREATE INDEX ix_users_bcrypt ON users (id) WHERE password LIKE '$2%'",
        "DROP INDEX ix_users_bcrypt",
    ),
    step("""
        INSERT INTO userprofiles (id, user_id)
        SELECT gen_random_uuid(), id FROM users
        WHERE NOT EXISTS (SELECT FROM userprofiles WHERE user_id = users.id)
    """),
    # The next message of a chat stands after those that are there, whatever clock they had.
    step("""
        UPDATE chatconversations SET last_event_at = last.created_at
        FROM (
            SELECT conversation_id, max(created_at) AS created_at
            FROM chatmessages WHERE isfinite(created_at) GROUP BY conversation_id
        ) AS last
        WHERE session_id = conversation_id AND last.created_at > last_event_at
    """),
    step(repair_rows),
]
