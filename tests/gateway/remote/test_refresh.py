"""The rounds in which MCP servers and A2A agents are looked up again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs
import pytest
from databases import Database
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.a2a import lookup as a2a_lookup
from gateway.a2a import queries as a2a
from gateway.a2a.cards import Card
from gateway.a2a.lookup import FoundCard
from gateway.a2a.schemas import A2AAgent
from gateway.a2a.storing import insert_agent
from gateway.app import KINDS
from gateway.mcp import lookup as mcp_lookup
from gateway.mcp import queries as mcp
from gateway.mcp import reading_queries as mcp_reading
from gateway.mcp.schemas import Server
from gateway.mcp.storing import update_servers
from gateway.remote.kinds import LONGEST_PAUSE, MOST_FAILURES, PAUSES, Kind, Target
from gateway.remote.outbound import Outbound
from gateway.remote.refresh import Refresh, Visits
from gateway.remote.shares import AT_A_TIME
from gateway.web.paging import Slice
from shared.codec.converter import parse
from shared.postgres.pool import connect, create_database, transaction
from shared.settings.installation import Settings
from tests.gateway.outsiders import answering, card_app, make_card, make_mcp, running, serving
from tests.gateway.remote.test_outbound import hang, listening
from tests.gateway.rows import insert_user
from tests.users import eventually

OUT = Outbound(10.0, allow_private=True)
DEAD = answering({}, 503)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database
        async with connect(database) as connection:
            await connection.execute("DELETE FROM users")


def refresh(settings: Settings, database: Database) -> Refresh:
    return Refresh(attrs.evolve(settings, refresh_seconds=0.2), database, OUT, KINDS)


async def go_round(settings: Settings, database: Database, out: Outbound = OUT) -> None:
    """Look up all that is due, by a gateway of its own, and wait for it."""
    one = Refresh(settings, database, out, KINDS)
    async with asyncio.TaskGroup() as tasks:
        await one.begin_round(Visits(tasks, one))


async def let_pauses_pass(database: Database) -> None:
    """All that waits after a failure is due."""
    async with connect(database) as connection:
        for table in ("mcpservers", "a2acards"):
            await connection.execute(f"UPDATE {table} SET next_lookup_at = now()")  # noqa: S608


async def add_server(database: Database, url: str, tools: bool = True) -> Any:
    owner = await insert_user(database)
    found = await mcp_lookup.look_up(OUT, url) if tools else None
    async with connect(database) as connection, transaction(connection):
        id_ = await mcp.upsert_server(connection, owner, url)
        if found is not None:
            await update_servers(connection, [id_], found)
    return owner


async def read_servers(database: Database, owner: Any) -> list[Server]:
    """The owner's servers, as they are told."""
    async with connect(database) as connection:
        page = await mcp_reading.select_servers(connection, owner, Slice(10, 0))
    return [parse(bytes(cast("Any", told)), Server) for told in page.things()]


async def read_server(database: Database, owner: Any) -> Server:
    [server] = await read_servers(database, owner)
    return server


async def test_tools_follow_for_every_owner_by_one_look_up(
    settings: Settings, database: Database
) -> None:
    old, new = make_mcp("stays", "goes"), make_mcp("stays", "comes", description="Changed")
    async with running(old, new) as [before, after], serving(before) as outsider:
        owners = [await add_server(database, f"{outsider.url}/mcp") for _ in range(2)]
        aliases = [(await read_server(database, owner)).mcp_tools[0].alias for owner in owners]
        async with connect(database) as connection:
            await mcp.count_failure(connection, Target(f"{outsider.url}/mcp"), 1, [0.0])
        outsider.posts.clear()
        await mcp_lookup.look_up(OUT, f"{outsider.url}/mcp")
        one_look_up = len(outsider.posts)
        outsider.posts.clear()
        outsider.app = after
        await go_round(settings, database)
        assert len(outsider.posts) == one_look_up
    for owner, alias in zip(owners, aliases, strict=True):
        server = await read_server(database, owner)
        assert server.is_active
        comes, stays = sorted(server.mcp_tools, key=lambda tool: tool.name)
        assert (comes.name, stays.name, stays.alias) == ("comes", "stays", alias)
        assert stays.description == "Changed"


async def test_a_server_that_says_the_same_changes_nothing(
    settings: Settings, database: Database
) -> None:
    async with running(make_mcp("one", "two")) as [app], serving(app) as outsider:
        owner = await add_server(database, f"{outsider.url}/mcp")
        before = await read_server(database, owner)
        await go_round(settings, database)
        assert await read_server(database, owner) == before


async def test_a_card_follows_for_every_owner(settings: Settings, database: Database) -> None:
    owners = [await insert_user(database) for _ in range(2)]
    async with serving(card_app(make_card())) as outsider:
        card = await a2a_lookup.look_up(OUT, outsider.url)
        for owner in owners:
            async with connect(database) as connection:
                await insert_agent(connection, owner, card)
        outsider.app = card_app(make_card("Other", "Does more."))
        await go_round(settings, database)
    for owner in owners:
        [agent] = await read_agents(database, owner)
        assert (agent.name, agent.description) == ("Other", "Does more.")
        assert agent.alias.startswith("Other_")
        assert agent.is_active


async def read_agents(database: Database, owner: Any) -> list[A2AAgent]:
    """The owner's A2A agents, as they are told."""
    async with connect(database) as connection:
        page = await a2a.select_agents(connection, owner, Slice(10, 0))
    return [parse(bytes(cast("Any", told)), A2AAgent) for told in page.things()]


async def read_activity(database: Database, owner: Any) -> list[bool]:
    """Whether the owner's server and A2A agent are active."""
    servers = await read_servers(database, owner)
    agents = await read_agents(database, owner)
    return [*(one.is_active for one in servers), *(one.is_active for one in agents)]


def serve_both(tools: ASGIApp, card: ASGIApp) -> ASGIApp:
    """An MCP server and an A2A agent at one port."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (tools if scope["path"] == "/mcp" else card)(scope, receive, send)

    return serve


async def test_only_failures_in_a_row_end_the_activity(
    settings: Settings, database: Database
) -> None:
    async with running(make_mcp("tool")) as [tools], serving(card_app(make_card())) as outsider:
        alive = outsider.app = serve_both(tools, outsider.app)
        found = await a2a_lookup.look_up(OUT, outsider.url)
        owner = await add_server(database, f"{outsider.url}/mcp")
        async with connect(database) as connection:
            await insert_agent(connection, owner, found)
        for app, is_active in [
            (DEAD, True),
            (alive, True),  # the count begins anew
            (DEAD, True),
            (DEAD, False),
            (DEAD, False),
            (alive, True),
            (DEAD, True),
        ]:
            outsider.app = app
            await go_round(settings, database)
            await let_pauses_pass(database)
            assert await read_activity(database, owner) == [is_active, is_active]


async def test_a_failure_leaves_all_as_it_was(settings: Settings, database: Database) -> None:
    async with running(make_mcp("one")) as [app], serving(app) as outsider:
        owner = await add_server(database, f"{outsider.url}/mcp")
        before = await read_server(database, owner)
        outsider.app = DEAD
        await go_round(settings, database)
        assert await read_server(database, owner) == before


async def test_who_adds_a_server_again_ends_its_failures(
    settings: Settings, database: Database
) -> None:
    async with running(make_mcp("one")) as [app], serving(app) as outsider:
        url = f"{outsider.url}/mcp"
        owner = await add_server(database, url)
        outsider.app = DEAD
        await go_round(settings, database)
        async with connect(database) as connection:
            await mcp.upsert_server(connection, owner, url)
        await go_round(settings, database)
        assert (await read_server(database, owner)).is_active


async def test_bad_servers_stop_nobody(settings: Settings, database: Database) -> None:
    out = Outbound(1.0, allow_private=True)
    async with (
        running(make_mcp("good")) as [app],
        serving(app) as outsider,
        serving(answering([1])) as nonsense,
        serving(answering(b"x" * 2_000_000)) as huge,
        listening(hang) as hanging,
    ):
        urls = [nonsense.url, huge.url, f"http://127.0.0.1:{hanging}/", "http://127.0.0.1:9/"]
        bad = [await add_server(database, url, tools=False) for url in [*urls, "no url"]]
        owner = await add_server(database, f"{outsider.url}/mcp", tools=False)
        for _ in range(MOST_FAILURES):
            await go_round(settings, database, out)
        assert [tool.name for tool in (await read_server(database, owner)).mcp_tools] == ["good"]
        for one in bad:
            assert not (await read_server(database, one)).is_active


TABLES = {"MCP server": "mcpservers", "A2A agent": "a2acards"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_failure_in_a_row_is_followed_by_a_longer_pause(
    database: Database, kind: Kind[Any]
) -> None:
    url, owner = "http://fails.example", await insert_user(database)
    sql = f"SELECT extract(epoch FROM next_lookup_at - now())::float8 FROM {TABLES[kind.name]}"  # noqa: S608
    card = FoundCard(url, url, Card("name", "", {}), [])
    pauses = []
    async with connect(database) as connection, transaction(connection):  # where now() stays
        await mcp.upsert_server(connection, owner, url)
        await insert_agent(connection, owner, card)
        for _ in range(len(PAUSES) + 2):
            await kind.count_failure(connection, Target(url), MOST_FAILURES, PAUSES)
            pauses.append(await connection.fetch_val(sql))
        due = [await kind.select_due(connection)]
        await mcp.upsert_server(connection, owner, url)
        await insert_agent(connection, owner, card)
        due.append(await kind.select_due(connection))
    assert pauses == [*PAUSES, LONGEST_PAUSE, LONGEST_PAUSE]
    assert [[(one.target, one.owner) for one in each] for each in due] == [
        [],
        [(Target(url), owner)],
    ]  # who adds it again ends the pause


async def test_what_fails_is_left_alone_for_its_pause_and_then_found_repaired(
    settings: Settings, database: Database
) -> None:
    async with running(make_mcp("one")) as [app], serving(DEAD) as outsider:
        owner = await add_server(database, f"{outsider.url}/mcp", tools=False)
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        outsider.app = app
        outsider.posts.clear()
        await go_round(settings, database)
        assert outsider.posts == []
        await let_pauses_pass(database)
        await go_round(settings, database)
        assert (await read_server(database, owner)).is_active
        outsider.posts.clear()
        await go_round(settings, database)
        assert outsider.posts != []


async def test_what_one_owner_adds_meanwhile_is_repaired_for_all(
    settings: Settings, database: Database
) -> None:
    async with running(make_mcp("one")) as [app], serving(DEAD) as outsider:
        owner = await add_server(database, f"{outsider.url}/mcp", tools=False)
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        outsider.app = app
        await add_server(database, f"{outsider.url}/mcp")
        await go_round(settings, database)
        assert (await read_server(database, owner)).is_active


async def test_one_owner_s_servers_that_hang_delay_nobody_s_look_ups(
    settings: Settings, database: Database
) -> None:
    rounds = 5
    async with (
        running(make_mcp("one")) as [app],
        serving(app) as outsider,
        listening(hang) as hanging,
    ):
        hung = await insert_user(database)
        async with connect(database) as connection:
            for number in range(10 * AT_A_TIME):
                await mcp.upsert_server(connection, hung, f"http://127.0.0.1:{hanging}/{number}")
        await add_server(database, f"{outsider.url}/mcp")
        one_look_up = len(outsider.posts)
        outsider.posts.clear()

        async def is_looked_up_in_each_round() -> bool:
            return len(outsider.posts) >= rounds * one_look_up

        async with going_round(refresh(settings, database)):  # a visit may take longer than this
            await eventually(is_looked_up_in_each_round, "it is looked up again and again", 8.0)


@asynccontextmanager
async def going_round(one: Refresh) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(one.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_gateway_goes_round_and_another_takes_over(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = {1: 0, 2: 0}
    gateways = {number: refresh(settings, database) for number in rounds}

    def count(number: int) -> None:
        async def begin_round(_shares: object) -> None:
            rounds[number] += 1

        monkeypatch.setattr(gateways[number], "begin_round", begin_round)

    for number in rounds:
        count(number)

    async def has_gone_round(number: int, times: int) -> bool:
        return rounds[number] >= times

    async with going_round(gateways[2]):
        await eventually(lambda: has_gone_round(2, 1), "the first goes round")
        async with going_round(gateways[1]):
            await eventually(lambda: has_gone_round(2, 5), "the first goes on")
            assert rounds[1] == 0
    async with going_round(gateways[1]):
        await eventually(lambda: has_gone_round(1, 1), "the other takes over")
