"""Rounds in which most of what is looked up again is as it was."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from databases import Database
from starlette.applications import Starlette

from gateway.a2a import lookup as a2a_lookup
from gateway.a2a.storing import insert_agent
from gateway.mcp import queries as mcp
from gateway.remote.kinds import MOST_FAILURES, PAUSES, Target
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from tests.gateway.mcp.scripted import Scripted, tool
from tests.gateway.outsiders import card_app, make_card, serving
from tests.gateway.remote.test_refresh import (
    DEAD,
    OUT,
    add_server,
    go_round,
    read_agents,
    read_server,
)
from tests.gateway.rows import insert_user

SHORT = ["tools/list"]


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database
        async with connect(database) as connection:
            await connection.execute("DELETE FROM users")


@pytest.fixture
def scripted() -> Scripted:
    """A server whose page of tools the tests change."""
    return Scripted({None: {"tools": [tool("one")]}})


async def asked_in_a_round(scripted: Scripted, settings: Settings, database: Database) -> list[str]:
    scripted.asked.clear()
    await go_round(settings, database)
    return scripted.asked


async def run(database: Database, sql: str) -> None:
    async with connect(database) as connection:
        await connection.execute(sql)


async def names(database: Database, owner: Any) -> list[str]:
    return [each.name for each in (await read_server(database, owner)).mcp_tools]


async def test_what_lists_the_same_is_asked_once_for_all_and_stored_by_nobody(
    scripted: Scripted, settings: Settings, database: Database
) -> None:
    versions = """
        SELECT array_agg(CAST(xmin AS text) ORDER BY id) FROM mcpservers WHERE server_url = :url
    """
    async with serving(scripted.app) as outsider, connect(database) as connection:
        for _ in range(2):
            await add_server(database, outsider.url)
        before = await connection.fetch_val(versions, {"url": outsider.url})
        assert len(before) == 2
        assert await asked_in_a_round(scripted, settings, database) == SHORT
        assert await connection.fetch_val(versions, {"url": outsider.url}) == before


async def test_what_lists_something_else_is_looked_up_as_a_whole(
    scripted: Scripted, settings: Settings, database: Database
) -> None:
    async with serving(scripted.app) as outsider:
        owner = await add_server(database, outsider.url)
        scripted.pages = {None: {"tools": [tool("one"), tool("two")]}}
        asked = await asked_in_a_round(scripted, settings, database)
        assert (asked[:1], asked[-1:]) == (SHORT, SHORT)
        assert "initialize" in asked
        assert await names(database, owner) == ["one", "two"]
        assert await asked_in_a_round(scripted, settings, database) == SHORT


async def test_after_an_hour_all_is_looked_up_as_a_whole(
    scripted: Scripted, settings: Settings, database: Database
) -> None:
    async with serving(scripted.app) as outsider:
        owner = await add_server(database, outsider.url)
        scripted.info = {"name": "renamed", "version": "2"}
        assert await asked_in_a_round(scripted, settings, database) == SHORT
        await run(database, "UPDATE mcpservers SET whole_lookup_at = now()")
        assert await asked_in_a_round(scripted, settings, database) != SHORT
        info: Any = (await read_server(database, owner)).server_info
        assert info["name"] == "renamed"


@pytest.mark.parametrize(
    "difference",
    [
        "is_active = false",
        "wants_authorization = true",
        "lookup_failures = 1",
        "lookup_digest = 'another'",
        "lookup_digest = NULL",
        "lookup_failures = 1, next_lookup_at = now() + interval '1 hour'",
    ],
)
async def test_what_is_not_settled_for_one_owner_is_looked_up_as_a_whole(
    scripted: Scripted, settings: Settings, database: Database, difference: str
) -> None:
    async with serving(scripted.app) as outsider:
        owner, other = [await add_server(database, outsider.url) for _ in range(2)]
        await run(database, f"UPDATE mcpservers SET {difference} WHERE creator_id = '{owner}'")  # noqa: S608
        assert "initialize" in await asked_in_a_round(scripted, settings, database)
        assert await asked_in_a_round(scripted, settings, database) == SHORT
        for one in (owner, other):
            assert (await read_server(database, one)).is_active


async def test_a_server_that_fails_is_looked_up_as_a_whole_when_it_is_back(
    scripted: Scripted, settings: Settings, database: Database
) -> None:
    async with serving(DEAD) as outsider:
        owner = await add_server(database, outsider.url, tools=False)
        async with connect(database) as connection:
            target = Target(outsider.url)
            await mcp.count_failure(connection, target, MOST_FAILURES, PAUSES)
        outsider.app = scripted.app
        assert "initialize" in await asked_in_a_round(scripted, settings, database)
        outsider.app = DEAD
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        assert not (await read_server(database, owner)).is_active


async def test_a_card_is_read_again_where_it_was_and_taken_when_it_has_changed(
    settings: Settings, database: Database
) -> None:
    owner = await insert_user(database)
    async with serving(card_app(make_card())) as outsider:
        found = await a2a_lookup.look_up(OUT, outsider.url)
        async with connect(database) as connection:
            await insert_agent(connection, owner, found)
        await go_round(settings, database)  # which looks it up as a whole
        outsider.posts.clear()
        await go_round(settings, database)
        assert outsider.posts == ["GET /.well-known/agent-card.json"]
        outsider.app = card_app(make_card("Other"))
        await go_round(settings, database)
        [agent] = await read_agents(database, owner)
        assert agent.name == "Other"
        outsider.app = Starlette()
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        [agent] = await read_agents(database, owner)
        assert not agent.is_active
