"""What a user may have of each kind: exactly so many, however many are added at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest
from attrs import frozen

from tests.gateway.members import insert_agent
from tests.gateway.outsiders import card_app, make_card, make_mcp, running, serving
from tests.gateway.shapes import good, refused
from tests.sql import Sql, run_sql
from tests.system import Stores, System
from tests.users import Json, User, insert_user

MOST, AT_ONCE = 3, 9

type Add = Callable[[User, int], Awaitable[httpx2.Response]]


@frozen
class Kind:
    """How one of these is added, and where it is stored."""

    setting: str
    things: str
    table: str
    add: Add
    path: str  # of one, for its deletion
    owner: str = "creator_id"  # the column


async def add_agent(user: User, number: int) -> httpx2.Response:
    new = {"name": f"agent {number}", "description": "d", "input_parameters": {}}
    return await user.http.post("/api/agents/register", json=new)


async def add_flow(user: User, number: int) -> httpx2.Response:
    [first, *_] = good(await user.http.get("/api/agents"))
    member = {"id": first["agent_id"], "type": "genai"}
    new = {"name": f"flow {number}", "description": "d", "flow": [member, member]}
    return await user.http.post("/api/agentflows/register", json=new)


async def add_server(user: User, number: int) -> httpx2.Response:
    url = f"{SERVER[0]}/mcp?n={number}"
    return await user.http.post("/api/mcp/servers", json={"server_url": url})


async def add_card(user: User, number: int) -> httpx2.Response:
    return await user.http.post("/api/a2a/agents", json={"server_url": CARDS[number]})


async def add_provider(user: User, number: int) -> httpx2.Response:
    new = {"name": f"provider {number}", "api_key": "k", "metadata": {}}
    return await user.http.post("/api/llm/model/provider", json=new)


async def add_config(user: User, number: int) -> httpx2.Response:
    new = {"name": f"config {number}", "model": "m", "provider": "provider of config"}
    return await user.http.post("/api/llm/model/config", json=new)


async def add_publication(user: User, number: int) -> httpx2.Response:
    agents = good(await user.http.get("/api/agents"))
    new = {"kind": "agent", "id": agents[number]["agent_id"]}
    return await user.http.post("/api/publications", json=new)


async def add_key(user: User, number: int) -> httpx2.Response:
    return await user.http.post("/api/keys", json={"name": f"key {number}", "scopes": ["read"]})


KINDS = [
    Kind("AGENTS_PER_USER", "agents", "agents", add_agent, "/api/agents/{}"),
    Kind("FLOWS_PER_USER", "agent flows", "agentworkflows", add_flow, "/api/agentflows/{}"),
    Kind("MCP_SERVERS_PER_USER", "MCP servers", "mcpservers", add_server, "/api/mcp/servers/{}"),
    Kind("A2A_AGENTS_PER_USER", "A2A agents", "a2acards", add_card, "/api/a2a/agents/{}"),
    Kind("MODEL_PROVIDERS_PER_USER", "model providers", "modelproviders", add_provider, ""),
    Kind(
        "MODEL_CONFIGS_PER_USER",
        "model configs",
        "modelconfigs",
        add_config,
        "/api/llm/model/config/{}",
    ),
    Kind("PUBLICATIONS_PER_USER", "publications", "publications", add_publication, ""),
    Kind("KEYS_PER_USER", "API keys", "api_keys", add_key, "/api/keys/{}", "user_id"),
]
REFRESHED = [kind for kind in KINDS if kind.add in (add_server, add_card)]
SERVER: list[str] = []
CARDS: list[str] = []
"""Where those are that are looked up; of A2A agents each has a host and port of its own."""

each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.things for kind in KINDS])


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A gateway that lets users have few things."""
    with stores.system(**{kind.setting: str(MOST) for kind in KINDS}) as system:
        system.start_gateway()
        yield system


@pytest.fixture(scope="module", autouse=True)
async def outsiders() -> AsyncIterator[None]:
    """What is looked up answers."""
    async with running(make_mcp("echo")) as [app], AsyncExitStack() as stack:
        SERVER.append((await stack.enter_async_context(serving(app))).url)
        for _ in range(AT_ONCE):
            served = await stack.enter_async_context(serving(card_app(make_card())))
            CARDS.append(served.url)
        yield


@pytest.fixture
def own_sql(own_system: System) -> Iterator[Sql]:
    with run_sql(own_system.settings) as sql:
        yield sql


@asynccontextmanager
async def somebody(system: System, sql: Sql, kind: Kind) -> AsyncIterator[User]:
    """A user who has nothing of this kind, but what the others are made of."""
    async with insert_user(system, sql) as user:
        if kind.add is add_flow:
            insert_agent(sql, user.id, "member")
        if kind.add is add_publication:
            for number in range(AT_ONCE):
                insert_agent(sql, user.id, f"agent_{number}")
        if kind.add in (add_provider, add_config):
            sql("DELETE FROM modelconfigs WHERE creator_id = %s", user.id)
        if kind.add is add_provider:
            sql("DELETE FROM modelproviders WHERE creator_id = %s", user.id)
        yield user


def stored(sql: Sql, kind: Kind, user: User) -> list[str]:
    """The ids of those that are stored."""
    statement = f"SELECT id FROM {kind.table} WHERE {kind.owner} = %s"  # noqa: S608 (a constant)
    return [str(row["id"]) for row in sql(statement, user.id)]


def sentence(kind: Kind) -> str:
    return f"You have {MOST} {kind.things} and may have {MOST}: delete one first"


@each_kind
async def test_calls_at_once_add_exactly_as_many_as_there_may_be(
    kind: Kind, own_system: System, own_sql: Sql
) -> None:
    async with somebody(own_system, own_sql, kind) as user:
        answers = await asyncio.gather(*(kind.add(user, number) for number in range(AT_ONCE)))
        assert sum(answer.status_code == 200 for answer in answers) == MOST
        told = [refused(answer) for answer in answers if answer.status_code != 200]
        assert told == [sentence(kind)] * (AT_ONCE - MOST)
        assert len(stored(own_sql, kind, user)) == MOST


@each_kind
async def test_another_user_has_room_of_his_own(
    kind: Kind, own_system: System, own_sql: Sql
) -> None:
    async with somebody(own_system, own_sql, kind) as full:
        for number in range(MOST):
            good(await kind.add(full, number))
        assert refused(await kind.add(full, MOST)) == sentence(kind)
        async with somebody(own_system, own_sql, kind) as user:
            good(await kind.add(user, 0))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.path])
async def test_one_that_is_deleted_makes_room(kind: Kind, own_system: System, own_sql: Sql) -> None:
    async with somebody(own_system, own_sql, kind) as user:
        for number in range(MOST):
            good(await kind.add(user, number))
        [first, *_] = stored(own_sql, kind, user)
        assert (await user.http.delete(kind.path.format(first))).status_code == 204
        good(await kind.add(user, MOST))
        assert len(stored(own_sql, kind, user)) == MOST


@pytest.mark.parametrize("kind", REFRESHED, ids=[kind.things for kind in REFRESHED])
async def test_what_is_there_is_refreshed_though_there_is_no_room(
    kind: Kind, own_system: System, own_sql: Sql
) -> None:
    async with somebody(own_system, own_sql, kind) as user:
        for number in range(MOST):
            good(await kind.add(user, number))
        good(await kind.add(user, 0))
        assert len(stored(own_sql, kind, user)) == MOST


async def test_a_known_id_is_said_to_be_known_though_there_is_no_room(
    own_system: System, own_sql: Sql
) -> None:
    async with insert_user(own_system, own_sql) as user:
        for number in range(MOST):
            good(await add_agent(user, number))
        [first, *_] = good(await user.http.get("/api/agents"))
        new: Json = {"id": first["agent_id"], "name": "", "description": "", "input_parameters": {}}
        answer = await user.http.post("/api/agents/register", json=new)
        assert refused(answer) == f"Agent with {first['agent_id']} already exists"


async def test_0_is_any_number(stores: Stores) -> None:
    with stores.system(AGENTS_PER_USER="0") as unbounded, run_sql(unbounded.settings) as sql:
        unbounded.start_gateway()
        async with insert_user(unbounded, sql) as user:
            for number in range(MOST + 1):
                good(await add_agent(user, number))
