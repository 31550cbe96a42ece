"""A2A agents through the real gateway, looked up at the SDK's own card routes."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.a2a.cards import read_card
from gateway.a2a.schemas import task_schema
from tests.gateway.outsiders import Outsider, answering, card_app, make_card, serving
from tests.gateway.shapes import assert_shape, good, refused
from tests.users import User

PATH = "/api/a2a/agents"
LOOKED_UP = {
    "id",
    "name",
    "alias",
    "description",
    "server_url",
    "card_content",
    "created_at",
    "updated_at",
    "card_url",
    "interfaces",
}
OLD_CARD = {
    "name": "Old Agent",
    "description": "Was here first.",
    "url": "http://old.example",
    "version": "1",
    "capabilities": {"streaming": None},
    "provider": None,
}


@pytest.fixture
async def outsider() -> AsyncIterator[Outsider]:
    async with serving(card_app(make_card())) as server:
        yield server


async def add(user: User, url: str) -> dict[str, Any]:
    added: dict[str, Any] = good(await user.http.post(PATH, json={"server_url": url}))
    return added


async def test_an_agent_is_looked_up_by_its_card(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider.url)
    assert_shape(added, LOOKED_UP)
    assert added["card_url"] == f"{outsider.url}/.well-known/agent-card.json"
    assert (added["name"], added["server_url"]) == ("My_Agent", outsider.url)
    assert re.fullmatch(r"My_Agent_[a-z]{6}", added["alias"])
    assert [skill["name"] for skill in added["card_content"]["skills"]] == ["A_skill"]
    assert not added["card_content"].keys() & {"name", "description", "url"}


@pytest.mark.parametrize("rest", ["", "/", "/some/path?x=1"])
async def test_a_host_is_stored_once(user: User, outsider: Outsider, rest: str) -> None:
    assert await add(user, outsider.url) == await add(user, outsider.url + rest)
    [listed] = good(await user.http.get(PATH))
    assert_shape(listed, LOOKED_UP | {"is_active", "creator_id"})
    assert good(await user.http.get(f"{PATH}/{listed['id']}")) == listed


async def test_an_older_card_is_found_and_its_lists_are_there(user: User) -> None:
    async with serving(answering(OLD_CARD, path=".well-known/agent.json")) as outsider:
        content = (await add(user, outsider.url))["card_content"]
    assert content == {
        "version": "1",
        "capabilities": {},
        "skills": [],
        "defaultInputModes": [],
        "defaultOutputModes": [],
    }


async def test_an_agent_is_an_active_connection(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider.url)
    answer = good(await user.http.get("/api/agents/active", params={"agent_type": "a2a"}))
    [connection] = answer["active_connections"]
    assert (connection["name"], connection["url"]) == (
        "My_Agent",
        f"{added['server_url']}/",
    )
    assert connection["agent_schema"] == task_schema(
        "My_Agent", "Does things.", added["card_content"]
    )
    assert connection["agent_schema"]["description"].endswith("\nSKILLS:\nDoes one thing.")


@pytest.mark.parametrize("query", [{}, {"agent_type": "all"}], ids=str)
async def test_two_agents_of_one_card_have_names_of_their_own(
    user: User, outsider: Outsider, query: dict[str, str]
) -> None:
    async with serving(outsider.app) as twin:
        added = [await add(user, one.url) for one in (outsider, twin)]
    assert {one["name"] for one in added} == {"My_Agent"}
    found = good(await user.http.get("/api/agents/active", params=query))["active_connections"]
    assert {(one["id"], one["name"]) for one in found} == {
        (one["id"], one["alias"]) for one in added
    }
    assert len({one["name"] for one in found}) == 2
    assert [one["agent_schema"]["title"] for one in found] == [one["name"] for one in found]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Travel & hotels (v2.1)", "Travel___hotels__v2_1__[a-z]{6}"),
        ("A" * 300, "A{55}_[a-z]{6}"),
        ("旅行", "agent_[a-z]{6}"),
        ("a-b_C", "a-b_C_[a-z]{6}"),
    ],
)
async def test_an_alias_is_a_name_for_a_function(user: User, name: str, alias: str) -> None:
    async with serving(answering({**OLD_CARD, "name": name})) as outsider:
        added = await add(user, outsider.url)
    assert added["name"] == name.replace(" ", "_")
    assert re.fullmatch(alias, added["alias"])
    assert len(added["alias"]) <= 64


async def test_an_agent_can_be_deleted(user: User, outsider: Outsider) -> None:
    id_ = (await add(user, outsider.url))["id"]
    assert (await user.http.delete(f"{PATH}/{id_}")).status_code == 204
    assert id_ in refused(await user.http.delete(f"{PATH}/{id_}"))


@pytest.mark.parametrize(
    "card",
    [
        b"<html>",
        b"\xff\xfe",
        b"[" * 5000,
        [],
        5,
        {"name": "Only a name"},
        {"name": "", "description": "d"},
        {"name": " \n", "description": "d"},
        {"name": 5, "description": "d"},
        {**OLD_CARD, "provider": "x" * 1_100_000},
    ],
    ids=lambda card: str(card)[:30],
)
async def test_a_nonsense_card_is_one_sentence(reader: User, card: object) -> None:
    async with serving(answering(card)) as outsider:
        answer = await reader.http.post(PATH, json={"server_url": outsider.url})
    assert "Cannot retrieve data about a2a card" in refused(answer)


@pytest.mark.parametrize("url", ["abc", "", "ftp://h", "http://127.0.0.1:9"])
async def test_a_url_that_leads_nowhere_is_one_sentence(reader: User, url: str) -> None:
    refused(await reader.http.post(PATH, json={"server_url": url}))


def test_integers_of_a_card_keep_their_digits() -> None:
    card = read_card(b'{"name":"n","description":"d","version":1208925819614629174706176}')
    assert card.content["version"] == 2**80


def test_null_is_left_out_of_a_card_at_every_depth() -> None:
    card = read_card(b'{"name":"n","description":"d","a":null,"b":[{"c":null,"d":1}]}')
    assert card.content["b"] == [{"d": 1}]
    assert "a" not in card.content
