"""One chat, as a file to take along: JSON for programs, Markdown for people."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from attrs import frozen
from databases import Database
from databases.core import Connection
from msgspec import Meta
from starlette.responses import Response

from gateway.files.disposition import attachment
from gateway.leaving.download import Download
from gateway.leaving.kinds import MESSAGES
from gateway.leaving.reading import Row, read_pages
from gateway.streams.sse import open_stream
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.codec.converter import dump
from shared.codec.text import read_json
from shared.postgres.pool import columns, connect

MEDIA = {"json": "application/json", "markdown": "text/markdown; charset=utf-8"}
SUFFIXES = {"json": "json", "markdown": "md"}
NAMES = {"user": "User", "master_agent": "Answer"}
ANSWER: dict[str, Any] = {
    "200": {
        "description": "The chat, as it is read: one that is cut off has no end",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/markdown": {"schema": {"type": "string"}},
        },
    }
}


@frozen
class ChatExport:
    """Which chat, and as what."""

    session_id: Annotated[UUID, Meta(description="Which chat.")]
    format: Annotated[
        Literal["json", "markdown"],
        Meta(description="For programs, with all that answers say; or for people, the texts."),
    ] = "json"


@frozen(slots=False)
class _Head:
    session_id: UUID
    title: str
    created_at: Any
    updated_at: Any


async def read_chat_export(call: Call[Nothing, ChatExport]) -> Response:
    """Download one of the user's chats with its messages, the oldest first."""
    asked = call.parameters
    async with connect(call.database) as connection:
        head = await _select_head(connection, call.user_id, asked.session_id)
    if head is None:
        raise BadRequestError(f"Chat with session_id {asked.session_id} does not exist")
    write = _json if asked.format == "json" else _markdown
    name = f"{head.title}.{SUFFIXES[asked.format]}"
    disposition = attachment(name, f"chat.{SUFFIXES[asked.format]}")
    pieces = write(call.database, call.user_id, head)
    return open_stream(call, Download(pieces, MEDIA[asked.format], disposition))


async def _select_head(connection: Connection, owner: UUID, session_id: UUID) -> _Head | None:
    sql = """
        SELECT session_id, title, created_at, updated_at FROM chatconversations
        WHERE creator_id = :owner AND session_id = :session_id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "session_id": session_id})
    return _Head(**columns(row)) if row else None


async def _json(database: Database, owner: UUID, head: _Head) -> AsyncGenerator[bytes]:
    yield dump(head).removesuffix(b"}") + b',"messages":['
    is_first = True
    async for rows in read_pages(database, owner, MESSAGES, {"session_id": head.session_id}):
        texts = b",".join(await asyncio.to_thread(_objects, rows))
        yield texts if is_first else b"," + texts
        is_first = False
    yield b"]}"


async def _markdown(database: Database, owner: UUID, head: _Head) -> AsyncGenerator[bytes]:
    yield f"# {' '.join(head.title.split())}\n".encode()
    async for rows in read_pages(database, owner, MESSAGES, {"session_id": head.session_id}):
        yield await asyncio.to_thread(_paragraphs, rows)


def _objects(rows: Sequence[Row]) -> list[bytes]:
    told = ("request_id", "sender_type", "created_at")
    return [dump({**{name: row[name] for name in told}, "content": _content(row)}) for row in rows]


def _paragraphs(rows: Sequence[Row]) -> bytes:
    said = []
    for row in rows:
        content = _content(row)
        text = content.get("response", "") if isinstance(content, dict) else content
        said.append(f"\n## {NAMES[row['sender_type']]}, {row['created_at']:%Y-%m-%d %H:%M}\n\n")
        said.append(f"{str(text).strip()}\n")
    return "".join(said).encode()


def _content(row: Row) -> Any:
    """The text of a user, or all that an answer says; one of another form as a text."""
    if row["sender_type"] == "user":
        return row["content"]
    try:
        answer = read_json(row["content"])
    except ValueError:
        return row["content"]
    return answer if isinstance(answer, dict) else row["content"]


operations = [
    Operation(
        method="GET",
        path="/api/chats/{session_id}/export",
        handler=read_chat_export,
        parameters=ChatExport,
        result=Response,
        responses=ANSWER,
        bounded=True,
        lends=False,
    )
]
