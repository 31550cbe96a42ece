"""Calls made in this process, beside somebody who writes down what they ask PostgreSQL."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast, get_origin
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import attrs
from attrs import define, field, frozen
from databases import Database
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message
from starlette.websockets import WebSocket

from gateway.accounts.admission import UnknownKeys
from gateway.accounts.attempts import Attempts
from gateway.chats.socket import serve_frontend
from gateway.files.storage import create_storage
from gateway.keys.known import Keys
from gateway.keys.uses import Uses
from gateway.requests.bridges import Bridges
from gateway.signins.revocations import Revocations
from gateway.state import State
from gateway.streams.deliveries import Deliveries
from gateway.streams.delivery import create_room
from gateway.streams.heard import Heard
from gateway.streams.sockets import Sockets
from gateway.streams.storing import Storing
from gateway.streams.watch import Watch
from gateway.web.auth import Access
from gateway.web.operation import Operation
from gateway.web.replica import Replica
from gateway.web.turns import Turns
from shared.notifications.bus import Notifications
from shared.postgres.pool import _begin, _leave_as_it_is
from shared.postgres.poolers import ServerConnection
from shared.postgres.statements import DirectDatabase
from shared.process.strangers import Strangers
from shared.redis.servers import create_redis
from shared.secrets import Vault
from shared.settings.installation import Settings
from tests.gateway.belongings import Belongings, insert_belongings, make_belongings, user_token
from tests.gateway.ownership.entries import ENTRIES, OPERATIONS
from tests.gateway.ownership.entry import Entry, Foreign
from tests.sql import Sql


@frozen
class Sent:
    """A statement and its values."""

    sql: str
    values: tuple[Any, ...]


@define
class Notebook:
    """A pool of one connection that notes what is sent."""

    database: Database
    sent: list[Sent] = field(factory=list)

    async def note[T](self, work: Callable[[], Awaitable[T]]) -> tuple[T, list[Sent]]:
        """What some work gives and sends when it is not done for the first time.

        In tasks: asyncpg notes a statement in the turn of the loop after it.
        """
        await asyncio.ensure_future(work())  # asyncpg looks up types when it meets them first
        self.sent.clear()
        result = await asyncio.ensure_future(work())
        return result, list(self.sent)

    async def count(self, work: Callable[[], Awaitable[object]]) -> int:
        """How many statements that takes."""
        _, sent = await self.note(work)
        return len(sent)


@asynccontextmanager
async def open_notebook(settings: Settings) -> AsyncIterator[Notebook]:
    """A notebook on the database of these settings."""
    sent: list[Sent] = []

    async def init(connection: ServerConnection) -> None:
        await _begin(connection)
        connection.add_query_logger(lambda query: sent.append(Sent(query.query, query.args)))

    options: dict[str, Any] = {"min_size": 1, "max_size": 1, "init": init, "reset": _leave_as_it_is}
    async with DirectDatabase(settings.database_url, **options) as database:
        yield Notebook(database, sent)


@frozen
class Owner:
    """A user with some objects of each kind; those of a chat are all of the first chat."""

    first: Belongings
    all: list[Belongings]


def insert_owner(settings: Settings, sql: Sql, number: int) -> Owner:
    """Somebody with so many of everything."""
    user_id = str(uuid4())
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", user_id, user_id)
    things = [make_belongings(settings, user_id) for _ in range(number)]
    insert_belongings(sql, things)
    _gather(sql, user_id, things[0])
    return Owner(things[0], things)


def _gather(sql: Sql, user_id: str, first: Belongings) -> None:
    """Give the first chat, request, server, provider and flow what the others have."""
    sql(
        """
        WITH numbered AS (
            SELECT id, row_number() OVER (ORDER BY position) AS number
            FROM requests WHERE creator_id = %s AND status = 'answered'
        )
        UPDATE requests SET session_id = %s, seq = 1000 + number
        FROM numbered WHERE numbered.id = requests.id
        """,
        *(user_id, first.session_id),
    )
    sql(
        """
        UPDATE chatmessages SET conversation_id = %s FROM chatconversations
        WHERE conversation_id = session_id AND creator_id = %s
        """,
        *(first.session_id, user_id),
    )
    sql(
        "UPDATE logs SET session_id = %s, request_id = %s, seq = id %% 1000 WHERE creator_id = %s",
        *(first.session_id, first.request_id, user_id),
    )
    sql(
        """
        UPDATE chatconversations SET last_seq = (
            SELECT max(seq) FROM requests WHERE requests.session_id = chatconversations.session_id
        ) WHERE session_id = %s
        """,
        first.session_id,
    )
    sql("UPDATE files SET session_id = %s WHERE creator_id = %s", first.session_id, user_id)
    sql(
        """
        UPDATE mcptools SET mcp_server_id = %s FROM mcpservers
        WHERE mcp_server_id = mcpservers.id AND creator_id = %s
        """,
        *(first.server_id, user_id),
    )
    sql(
        "UPDATE modelconfigs SET provider_id = %s WHERE creator_id = %s",
        *(first.provider_id, user_id),
    )
    sql(
        """
        UPDATE agentworkflows SET flow = (
            SELECT json_agg(json_build_object('id', id, 'type', 'genai'))
            FROM agents WHERE creator_id = %s
        ) WHERE id = %s
        """,
        *(user_id, first.flow_id),
    )


def make_state(settings: Settings, database: Database, folder: str) -> State:
    """What every request can reach; its loops don't run."""
    notifications = Notifications(create_redis(settings))
    revocations = Revocations(database, notifications)
    revocations._asked_at = math.inf  # as if that loop had just been round
    attempts = Attempts(settings)
    unbounded = attrs.evolve(settings, open_requests_per_user=0)
    state: dict[str, Any] = {
        "settings": unbounded,
        "revocations": revocations,
        "keys": Keys(database, revocations, UnknownKeys(attempts, settings), Uses(database)),
        "strangers": Strangers(0, ()),
        "sockets": Sockets(0, revocations),
        "database": database,
        "replica": Replica(database, None),
        "notifications": notifications,
        "bridges": Bridges(settings, notifications),
        "heard": Heard(notifications),
        "deliveries": Deliveries(database),
        "storing": Storing(unbounded, database),
        "vault": Vault(settings.encryption_keys),
        "watch": Watch(database),
        "turns": Turns(0, settings.database_pool_size),
        "storage": create_storage(attrs.evolve(settings, default_files_folder_name=folder)),
        "large_frames": create_room(),
    }
    return cast("State", state)


def lists(operation: Operation) -> bool:
    """Whether an answer holds a list, or is one; not that of one thing that is waited for."""
    result = operation.result
    inner = [each.type for each in attrs.fields(result)] if attrs.has(result) else [result]
    is_read = operation.method == "GET" and operation.lends and operation.access != Access.ADMIN
    return is_read and any(get_origin(each) is list for each in inner)


LISTING = {
    str(entry): entry
    for entry in ENTRIES
    if lists(OPERATIONS[entry.line]) and entry.foreign is not Foreign.SAME
}
"""The calls that list something of a user's, by their names."""


async def ask(settings: Settings, state: State, owner: Belongings, entry: Entry) -> bytes:
    """Call an operation as its route does; what it answers."""
    operation, call = OPERATIONS[entry.line], entry.call(owner, owner)
    token = user_token(settings, owner)
    scope = {
        "type": "http",
        "method": operation.method,
        "path": urlsplit(call["url"]).path,
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "query_string": urlencode(call.get("params", {})).encode(),
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "state": state,
    }
    _, matched = operation.route().matches(scope)
    async with AsyncExitStack() as held:
        request = Request({**scope, **matched})
        answer = await operation.respond(request, held)
        assert answer.status_code == 200
        return await _read(answer, request)


async def _read(answer: Response, request: Request) -> bytes:
    body = bytearray()

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))

    await answer(request.scope, request.receive, send)
    return bytes(body)


async def chat(settings: Settings, state: State, owner: Owner) -> None:
    """Open a socket, send a message that names all files, and leave."""
    message = {"message": "hello", "files": [each.file_id for each in owner.all]}
    frames = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps(message)},
        {"type": "websocket.disconnect"},
    ]
    sent: list[str] = []

    async def receive() -> Any:
        return frames.pop(0)

    async def send(frame: Any) -> None:
        sent.append(frame["type"])

    query = {"session_id": str(uuid4()), "token": user_token(settings, owner.first)}
    scope = {
        "type": "websocket",
        "path": "/frontend/ws",
        "query_string": urlencode(query).encode(),
        "headers": [],
        "state": state,
    }
    await serve_frontend(WebSocket(scope, receive, send))
    assert sent == ["websocket.accept"]
