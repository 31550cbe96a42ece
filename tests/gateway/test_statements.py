"""A call asks PostgreSQL as often for a hundred things as for one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, cast, get_origin
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import asyncpg
import attrs
import pytest
from attrs import define, field, frozen
from databases import Database
from starlette.requests import Request
from starlette.websockets import WebSocket

from gateway.chats.delivery import Delivery
from gateway.chats.socket import serve_frontend
from gateway.files.storage import create_storage
from gateway.sockets import Sockets
from gateway.state import State
from gateway.watch import Watch, select_last_seqs
from gateway.web.operation import Operation
from shared.database import _leave_as_it_is, _read_json
from shared.news import News, create_redis
from shared.settings import Settings
from shared.statements import DirectDatabase
from tests.gateway.belongings import Belongings, insert_belongings, make_belongings, user_token
from tests.gateway.conftest import Sql, run_sql
from tests.gateway.ownership.entries import ENTRIES, OPERATIONS, Entry

MANY = 100

# For each call that lists something: how many statements it takes, one of them for the token.
STATEMENTS = {
    "GET /api/agents": 2,
    "GET /api/agents by name": 2,
    "GET /api/agents/frontend": 2,
    "GET /api/agents/active genai": 4,
    "GET /api/agents/active mcp": 2,
    "GET /api/agents/active a2a": 2,
    "GET /api/agents/active all": 4,
    "GET /api/agentflows": 3,
    "GET /api/agentflows/{agentflow_id}": 3,
    "GET /api/chats": 2,
    "GET /api/chat": 3,
    "GET /api/logs/list of a session": 2,
    "GET /api/logs/list of a request": 2,
    "GET /api/requests": 2,
    "GET /files": 2,
    "GET /user/files/metadata": 2,
    **{
        f"GET /api/{llm}/model/{name}": statements
        for llm in ("llm", "llms")
        for name, statements in (("configs", 3), ("config/{model_config_id}", 2))
    },
    "GET /api/mcp/servers": 3,
    "GET /api/mcp/servers/{server_id}": 3,
    "GET /api/a2a/agents": 2,
}


@define
class Counted:
    """A pool of one connection that notes what is sent."""

    database: Database
    sent: list[str] = field(factory=list)

    async def count(self, work: Callable[[], Any]) -> int:
        """How many statements some work takes, when it is not done for the first time."""
        await work()  # asyncpg looks up types when it meets them first
        self.sent.clear()
        await asyncio.create_task(work())
        return len(self.sent)


@frozen
class Owner:
    """A user with some objects of each kind; those of a chat are all of the first chat."""

    first: Belongings
    all: list[Belongings]


@pytest.fixture(scope="module")
async def counted(anyio_backend: str, settings: Settings) -> AsyncIterator[Counted]:
    sent: list[str] = []

    def note(query: Any) -> None:
        sent.append(query.query)

    async def init(connection: "asyncpg.Connection[Any]") -> None:
        await _read_json(connection)
        connection.add_query_logger(note)

    options: dict[str, Any] = {"min_size": 1, "max_size": 1, "init": init, "reset": _leave_as_it_is}
    async with DirectDatabase(settings.database_url, **options) as database:
        yield Counted(database, sent)


@pytest.fixture(scope="module")
def owners(settings: Settings) -> list[Owner]:
    """Somebody with one object of each kind, somebody with a hundred."""
    with run_sql(settings) as sql:
        return [_insert_owner(settings, sql, number) for number in (1, MANY)]


def _insert_owner(settings: Settings, sql: Sql, number: int) -> Owner:
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


@pytest.fixture(scope="module")
def state(settings: Settings, counted: Counted, tmp_path_factory: pytest.TempPathFactory) -> State:
    """What every request can reach; its loops don't run."""
    folder = str(tmp_path_factory.mktemp("files"))
    state: dict[str, Any] = {
        "settings": attrs.evolve(settings, open_requests_per_user=0),
        "sockets": Sockets(0),
        "database": counted.database,
        "news": News(create_redis(settings)),
        "watch": Watch(counted.database),
        "storage": create_storage(attrs.evolve(settings, default_files_folder_name=folder)),
    }
    return cast("State", state)


def lists(operation: Operation) -> bool:
    """Whether an answer holds a list, or is one."""
    result = operation.result
    inner = [each.type for each in attrs.fields(result)] if attrs.has(result) else [result]
    return operation.method == "GET" and any(get_origin(each) is list for each in inner)


LISTING = {str(entry): entry for entry in ENTRIES if lists(OPERATIONS[entry.line])}


def test_every_call_that_lists_something_has_an_entry() -> None:
    assert LISTING.keys() == STATEMENTS.keys()
    listing = {line for line, operation in OPERATIONS.items() if lists(operation)}
    assert {entry.line for entry in LISTING.values()} == listing


@pytest.mark.parametrize("entry", LISTING.values(), ids=str)
async def test_a_list_takes_as_many_statements_for_a_hundred_as_for_one(
    settings: Settings, counted: Counted, state: State, owners: list[Owner], entry: Entry
) -> None:
    found = [
        await counted.count(partial(ask, settings, state, owner.first, entry)) for owner in owners
    ]
    assert found == [STATEMENTS[str(entry)]] * 2


async def ask(settings: Settings, state: State, owner: Belongings, entry: Entry) -> None:
    """Call an operation as its route does."""
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
    answer = await operation.respond(Request({**scope, **matched}))
    assert answer.status_code == 200
    assert owner.session_id.encode() in answer.body or owner.marker.encode() in answer.body


async def test_a_chat_message_takes_as_many_statements_with_a_hundred_files_as_with_one(
    settings: Settings, counted: Counted, state: State, owners: list[Owner]
) -> None:
    found = [await counted.count(partial(chat, settings, state, owner)) for owner in owners]
    assert found == [3, 3], "one for the token, one for the session, one for the message"


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


@pytest.mark.parametrize("missed", [1, 50])
async def test_what_a_socket_has_missed_takes_as_many_statements_for_many_frames_as_for_one(
    counted: Counted, owners: list[Owner], missed: int
) -> None:
    owner = owners[-1].first
    ids = UUID(owner.user_id), UUID(owner.session_id)

    async def catch_up() -> None:
        delivery = Delivery(counted.database, *ids, 1000 + MANY - missed)
        frames = [frame async for frame in delivery._missed()]
        assert len(frames) == missed

    # One looks whether the session was begun anew, one each begins and ends the snapshot.
    assert await counted.count(catch_up) == 1 + 1 + 3 + 1


async def test_all_watched_sessions_take_one_statement(
    counted: Counted, owners: list[Owner]
) -> None:
    sessions = [UUID(each.session_id) for each in owners[-1].all]
    assert await counted.count(lambda: select_last_seqs(counted.database, sessions)) == 1
