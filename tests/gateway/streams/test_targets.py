"""Whom a user may ask: what has which name, and what can't be asked."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from attrs import frozen
from databases import Database

from gateway.streams import targets
from gateway.streams.targets import Target, find_target, list_targets
from shared.domain.flows import ASKED_MEMBERS_LIMIT
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from tests.gateway.rows import insert_user
from tests.users import Json

TEXT: Json = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TWO: Json = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


@frozen
class Owner:
    """Somebody, and what they have."""

    database: Database
    id: UUID

    async def _execute(self, sql: str, **values: object) -> None:
        async with connect(self.database) as connection:
            await connection.execute(sql, {"owner": self.id, **values})

    async def add_config(self, name: str) -> None:
        await self._execute(
            """
            INSERT INTO modelconfigs (id, name, model, system_prompt, max_last_messages,
                temperature, credentials, creator_id)
            VALUES (gen_random_uuid(), :name, 'gpt', '', 5, 0, '{}', :owner)
            """,
            name=name,
        )

    async def add_agent(self, alias: str, schema: Json = TEXT, *, is_active: bool = True) -> UUID:
        id_ = uuid4()
        await self._execute(
            """
            INSERT INTO agents (id, alias, name, description, jwt, creator_id, input_parameters,
                is_active)
            VALUES (:id, :alias, '', 'does it', CAST(CAST(:id AS uuid) AS text), :owner,
                CAST(CAST(:schema AS text) AS json), :is_active)
            """,
            id=id_,
            alias=alias,
            schema=json.dumps(schema),
            is_active=is_active,
        )
        return id_

    async def add_flow(self, alias: str, *members: UUID, type_: str = "genai") -> UUID:
        id_ = uuid4()
        flow = json.dumps([{"id": str(each), "type": type_} for each in members])
        await self._execute(
            """
            INSERT INTO agentworkflows (id, alias, name, description, flow, creator_id, is_active)
            VALUES (:id, :alias, '', 'all of it', CAST(CAST(:flow AS text) AS json), :owner, true)
            """,
            id=id_,
            alias=alias,
            flow=flow,
        )
        return id_

    async def describe(self, alias: str, description: str) -> None:
        statement = "UPDATE agents SET description = :description WHERE alias = :alias"
        await self._execute(statement, description=description, alias=alias)

    async def list(self) -> list[tuple[str, str]]:
        async with connect(self.database) as connection:
            return [(each.kind, each.name) for each in await list_targets(connection, self.id)]

    async def find(self, name: str) -> Target | None:
        async with connect(self.database) as connection:
            return await find_target(connection, self.id, name)


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Owner]:
    async with create_database(settings) as database:
        yield Owner(database, await insert_user(database))


def alias(name: str = "a") -> str:
    return f"{name}_{uuid4().hex}"


async def test_who_has_nothing_can_ask_nobody(owner: Owner) -> None:
    assert await owner.list() == []
    assert await owner.find("anything") is None


async def test_configs_come_first_then_flows_then_agents_each_the_newest_first(
    owner: Owner,
) -> None:
    first, second, flow = alias(), alias(), alias()
    ids = [await owner.add_agent(each) for each in (first, second)]
    await owner.add_flow(flow, *ids)
    for name in ("slow", "quick"):
        await owner.add_config(name)
    expected = [("config", "quick"), ("config", "slow"), ("flow", flow)]
    assert await owner.list() == [*expected, ("agent", second), ("agent", first)]


async def test_a_config_is_asked_through_the_master_agent(owner: Owner) -> None:
    await owner.add_config("with/slash")
    found = await owner.find("with/slash")
    assert found
    assert (found.config_name, found.asked_id, found.description) == ("with/slash", None, "gpt")
    assert await owner.find(str(found.id)) == found


async def test_an_agent_and_a_flow_are_asked_by_alias_or_id(owner: Owner) -> None:
    of_agent, of_flow = alias(), alias()
    agent = await owner.add_agent(of_agent)
    flow = await owner.add_flow(of_flow, agent, agent)
    for name, id_ in ((of_agent, agent), (str(agent), agent), (of_flow, flow), (str(flow), flow)):
        found = await owner.find(name)
        assert found
        assert (found.config_name, found.asked_id) == (None, id_)


async def test_who_is_away_or_wants_more_than_a_text_is_not_asked(owner: Owner) -> None:
    away, two = alias("away"), alias("two")
    members = [await owner.add_agent(away, is_active=False), await owner.add_agent(two, TWO)]
    for member in members:
        await owner.add_flow(alias(), member, member)
    assert await owner.list() == []
    assert await owner.find(away) is None
    assert await owner.find(two) is None


async def test_a_flow_of_tools_of_nobody_or_of_too_many_is_not_asked(owner: Owner) -> None:
    agent = await owner.add_agent(alias())
    flows = [
        await owner.add_flow(alias(), agent, type_="mcp"),
        await owner.add_flow(alias()),
        await owner.add_flow(alias(), agent, uuid4()),
        await owner.add_flow(alias(), *[agent] * (ASKED_MEMBERS_LIMIT + 1)),
    ]
    assert [kind for kind, _ in await owner.list()] == ["agent"]
    assert [await owner.find(str(flow)) for flow in flows] == [None] * len(flows)


async def test_of_one_name_the_config_is_meant(owner: Owner) -> None:
    name = alias()
    agent = await owner.add_agent(name)
    await owner.add_flow(name, agent)
    await owner.add_config(name)
    assert [each for each in await owner.list() if each[1] == name] == [("config", name)]
    found = await owner.find(name)
    assert found
    assert found.kind == "config"


async def test_what_is_another_users_is_unknown(owner: Owner) -> None:
    other = Owner(owner.database, await insert_user(owner.database))
    name = alias()
    agent = await other.add_agent(name)
    await other.add_config(f"config {name}")
    await owner.add_flow(alias(), agent)
    assert await owner.list() == []
    assert [await owner.find(each) for each in (name, str(agent), f"config {name}")] == [None] * 3


async def test_the_list_is_bounded_and_what_is_asked_by_name_is_found_all_the_same(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases = [alias() for _ in range(3)]
    for each in aliases:
        await owner.add_agent(each, {**TEXT, "title": "x" * 1000})
    monkeypatch.setattr(targets, "LISTED_BYTES_LIMIT", 2500)
    assert await owner.list() == [("agent", each) for each in aliases[:0:-1]]
    assert await owner.find(aliases[0])
    await owner.describe(aliases[2], "x" * 1000)
    assert await owner.list() == [("agent", aliases[2])]
    monkeypatch.setattr(targets, "TARGETS_LIMIT", 1)
    assert await owner.list() == [("agent", aliases[2])]
