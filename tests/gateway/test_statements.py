"""A call asks PostgreSQL as often for a hundred things as for one."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
from starlette.requests import Request

from gateway.state import State
from gateway.streams.delivery import Delivery
from gateway.streams.watch import Watched, select_last_seqs
from gateway.web.auth import find_caller
from gateway.web.callers import Caller, Credential
from shared.postgres.pool import connect
from shared.settings.installation import Settings
from shared.tokens import AGENT_TOKEN_EXPIRY
from tests.gateway.noted import (
    LISTING,
    Notebook,
    Owner,
    ask,
    chat,
    insert_owner,
    lists,
    make_state,
    open_notebook,
)
from tests.gateway.ownership.entries import OPERATIONS
from tests.gateway.ownership.entry import Entry
from tests.sql import run_sql

MANY = 100

# For each call that lists something: how many statements it takes; the token takes none.
STATEMENTS = {
    "GET /api/keys": 1,
    "GET /api/agents": 1,
    "GET /api/agents by name": 1,
    "GET /api/agents/frontend": 1,
    "GET /api/agents/active genai": 2,
    "GET /api/agents/active mcp": 1,
    "GET /api/agents/active a2a": 1,
    "GET /api/agents/active all": 2,
    "GET /api/agentflows": 1,
    "GET /api/agentflows/{agentflow_id}": 1,
    "GET /api/chats": 1,
    "GET /api/chats/search": 1,
    "GET /api/chat": 2,
    "GET /api/logs/list of a session": 1,
    "GET /api/logs/list of a request": 1,
    "GET /api/requests of a session": 1,
    "GET /api/requests of an agent": 1,
    "GET /api/requests/{request_id}": 1,
    "GET /api/usage": 3,
    "GET /files": 1,
    "GET /user/files/metadata": 1,
    **{
        f"GET /api/{llm}/model/{name}": statements
        for llm in ("llm", "llms")
        for name, statements in (("configs", 1), ("config/{model_config_id}", 1))
    },
    "GET /api/mcp/servers": 1,
    "GET /api/mcp/servers/{server_id}": 1,
    "GET /api/a2a/agents": 1,
    "GET /v1/models": 1,
    "GET /api/publications": 1,
    "GET /api/sessions/sign-ins": 1,
    "GET /api/groups": 1,
    "GET /api/me/identities": 1,
    "GET /api/groups/{group_id}/members": 1,
    "GET /api/groups/{group_id}/shares": 1,
    "GET /api/agents/active shared": 2,
}


@pytest.fixture(scope="module")
async def counted(anyio_backend: str, settings: Settings) -> AsyncIterator[Notebook]:
    async with open_notebook(settings) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def owners(settings: Settings) -> list[Owner]:
    """Somebody with one object of each kind, somebody with a hundred."""
    with run_sql(settings) as sql:
        return [insert_owner(settings, sql, number) for number in (1, MANY)]


@pytest.fixture(scope="module")
def state(settings: Settings, counted: Notebook, tmp_path_factory: pytest.TempPathFactory) -> State:
    return make_state(settings, counted.database, str(tmp_path_factory.mktemp("files")))


def test_every_call_that_lists_something_has_an_entry() -> None:
    assert LISTING.keys() == STATEMENTS.keys()
    listing = {line for line, operation in OPERATIONS.items() if lists(operation)}
    listing -= {"GET /api/shares", "GET /api/login/providers"}  # what others have, and nobody
    assert {entry.line for entry in LISTING.values()} == listing


@pytest.mark.parametrize("entry", LISTING.values(), ids=str)
async def test_a_list_takes_as_many_statements_for_a_hundred_as_for_one(
    settings: Settings, counted: Notebook, state: State, owners: list[Owner], entry: Entry
) -> None:
    for owner in owners:
        first = owner.first
        answer, sent = await counted.note(partial(ask, settings, state, first, entry))
        known = first.session_id, first.marker, first.user_id
        assert any(each.encode() in answer for each in known)
        assert len(sent) == STATEMENTS[str(entry)]


async def test_the_token_of_an_agent_takes_one_statement(
    counted: Notebook, state: State, owners: list[Owner]
) -> None:
    owner = owners[0].first
    agent_id = UUID(owner.agent_id)
    credential = Credential(agent_id, AGENT_TOKEN_EXPIRY)
    caller = Caller(UUID(owner.user_id), agent_id, credential=credential)

    async def find() -> None:
        async with connect(counted.database) as connection:
            request = Request({"type": "http", "client": None, "headers": []})
            found = await find_caller(connection, request, state, owner.agent_token)
            assert found == caller

    assert await counted.count(find) == 1


async def test_a_chat_message_takes_as_many_statements_with_a_hundred_files_as_with_one(
    settings: Settings, counted: Notebook, state: State, owners: list[Owner]
) -> None:
    found = [await counted.count(partial(chat, settings, state, owner)) for owner in owners]
    assert found == [2, 2], "one for the session, one for the message"


@pytest.mark.parametrize("missed", [1, 50])
async def test_what_a_socket_has_missed_takes_as_many_statements_for_many_frames_as_for_one(
    counted: Notebook, owners: list[Owner], missed: int
) -> None:
    owner = owners[-1].first
    ids = UUID(owner.user_id), UUID(owner.session_id)

    async def catch_up() -> None:
        delivery = Delivery(counted.database, *ids, 1000 + MANY - missed)
        frames = [frame async for frame in delivery._missed()]
        assert len(frames) == missed

    # How far the session is, how far a page goes; and its log entries, answers and their files.
    assert await counted.count(catch_up) == 2 + 3


async def test_all_watched_sessions_take_one_statement(
    counted: Notebook, owners: list[Owner]
) -> None:
    sessions = [Watched(UUID(each.session_id)) for each in owners[-1].all]
    assert await counted.count(lambda: select_last_seqs(counted.database, sessions)) == 1
