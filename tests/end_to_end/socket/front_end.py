"""A front-end that does what it should not: raw handshakes, raw frames, and leaving at once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.agent_bridge.stored import execute
from tests.system import System
from tests.users import Chat, Json, User

ACCEPTED = 101
FAULTS = "Message validation failed. Details: "
LOG_KEYS = {
    "session_id",
    "request_id",
    "log_level",
    "message",
    "creator_id",
    "agent_id",
    "created_at",
    "updated_at",
}
RESPONSE_KEYS = {
    "is_success",
    "execution_time",
    "response",
    "request_id",
    "session_id",
    "files",
}


async def handshake_status(user: User, **query: str) -> int:
    """The status of a handshake with this query."""
    try:
        async with connect(f"{user.socket_url}?{urlencode(query)}", compression=None):
            return ACCEPTED
    except InvalidStatus as refused:
        return refused.response.status_code


async def close_code(user: User, **query: str) -> tuple[int | None, list[Any]]:
    """The code with which the server closes a socket of this query, and what it said before."""
    heard: list[Any] = []
    async with connect(f"{user.socket_url}?{urlencode(query)}", compression=None) as connection:
        try:
            while True:
                heard.append(await connection.recv())
        except ConnectionClosed:
            return connection.close_code, heard


async def send_and_leave(user: User, session_id: str, message: str) -> None:
    """Send a message and close, as a front-end does that is left while it sends."""
    query = urlencode({"token": user.token, "session_id": session_id})
    async with connect(f"{user.socket_url}?{query}", compression=None) as connection:
        await connection.send(json.dumps({"message": message}))


@asynccontextmanager
async def chat_at(
    socket_url: str, user: User, session_id: str, **more: object
) -> AsyncIterator[Chat]:
    """A socket at another gateway than the user's."""
    query = urlencode({"token": user.token, "session_id": session_id, **more})
    async with connect(f"{socket_url}?{query}", compression=None) as connection:
        yield Chat(connection, session_id)


async def receive_faults(chat: Chat) -> list[Json]:
    """The faults of a refused frame, which is also told as an answer."""
    text = await chat.receive_text()
    assert text.startswith(FAULTS)
    faults: list[Json] = json.loads(text.removeprefix(FAULTS))
    refused = await chat.receive()
    assert refused["seq"] is None
    assert refused["response"]["is_success"] is False
    assert refused["response"]["response"]["response"] == refused["error"]
    assert refused["error"].startswith("The message was not accepted: ")
    assert isinstance(faults, list)
    assert faults
    return faults


def insert_file(system: System, owner: User) -> UUID:
    """A stored file's row."""
    file_id = uuid4()
    execute(
        system,
        """
        INSERT INTO files
            (id, creator_id, mimetype, original_name, internal_name, internal_id, from_agent)
        VALUES (%s, %s, 'text/plain', 'a.txt', 'a', %s, false)
        """,
        file_id,
        owner.id,
        file_id,
    )
    return file_id
