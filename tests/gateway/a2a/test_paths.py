"""A2A agents below the paths of one host, by the SDK's own server, through the real gateway."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from a2a.types import AgentCard, AgentInterface
from databases import Database
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from gateway.a2a.interfaces import NEWER_ONLY
from gateway.a2a.kind import A2A_AGENTS
from gateway.remote.kinds import Target
from gateway.remote.outbound import Outbound
from shared.postgres.pool import create_database
from shared.secrets import Vault
from tests.gateway.outsiders import Outsider, answering, card_app, make_card, serving
from tests.gateway.shapes import good, refused
from tests.system import System
from tests.users import User

PATH = "/api/a2a/agents"
OUT, VAULT = Outbound(10.0, allow_private=True), Vault([bytes(32)])
ELSEWHERE = {
    "url": "http://127.0.0.1:9/rpc",
    "protocolBinding": "JSONRPC",
    "protocolVersion": "1.0",
}
OLDER = {"url": "http://127.0.0.1:9/old", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}


def card_at(name: str, *interfaces: dict[str, str]) -> AgentCard:
    card = make_card(name)
    for one in interfaces:
        card.supported_interfaces.append(
            AgentInterface(
                url=one["url"],
                protocol_binding=one["protocolBinding"],
                protocol_version=one["protocolVersion"],
            )
        )
    return card


@pytest.fixture
async def host() -> AsyncIterator[Outsider]:
    """Two agents below paths, and one at the host."""
    routes = [
        Mount("/weather", card_app(card_at("Weather", ELSEWHERE))),
        Mount("/news", card_app(card_at("News", ELSEWHERE, OLDER))),
        Mount("/", card_app(card_at("Host"))),
    ]
    async with serving(Starlette(routes=routes)) as server:
        yield server


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    async with create_database(system.settings) as database:
        yield database


async def add(user: User, url: str) -> dict[str, Any]:
    added: dict[str, Any] = good(await user.http.post(PATH, json={"server_url": url}))
    return added


async def read(user: User, id_: str) -> dict[str, Any]:
    agent: dict[str, Any] = good(await user.http.get(f"{PATH}/{id_}"))
    return agent


@pytest.mark.parametrize(
    ("given", "name", "address"),
    [
        ("/weather", "Weather", "/weather"),
        ("/news/", "News", "/news"),
        ("/news/.well-known/agent-card.json", "News", "/news"),
        ("", "Host", ""),
        ("/other", "Host", ""),
    ],
)
async def test_an_agent_is_found_at_its_path(
    user: User, host: Outsider, given: str, name: str, address: str
) -> None:
    added = await add(user, host.url + given)
    assert (added["name"], added["server_url"]) == (name, host.url + address)
    assert added["card_url"] == f"{host.url}{address}/.well-known/agent-card.json"


async def test_agents_of_one_host_are_several(user: User, host: Outsider) -> None:
    ids = {(await add(user, host.url + path))["id"] for path in ("/weather", "/news", "")}
    assert len(ids) == 3
    assert {one["id"] for one in good(await user.http.get(PATH))} == ids


async def test_the_master_agent_is_told_where_calls_go(user: User, host: Outsider) -> None:
    weather, news = await add(user, f"{host.url}/weather"), await add(user, f"{host.url}/news")
    assert (weather["interfaces"], weather["newer_only"]) == ([ELSEWHERE], NEWER_ONLY)
    assert news["interfaces"] == [ELSEWHERE, OLDER]
    assert "newer_only" not in news
    active = good(await user.http.get("/api/agents/active", params={"agent_type": "all"}))
    told = {one["id"]: one for one in active["active_connections"]}
    assert told[weather["id"]]["interfaces"] == [ELSEWHERE]
    assert told[weather["id"]]["newer_only"] == NEWER_ONLY
    assert told[news["id"]]["interfaces"] == [ELSEWHERE, OLDER]
    assert told[news["id"]]["url"] == f"{host.url}/news/"
    assert "function_name" not in told[news["id"]]


async def test_the_name_of_a_card_comes_with_one_that_providers_take(
    user: User, host: Outsider
) -> None:
    added = await add(user, f"{host.url}/news")
    [told] = good(await user.http.get("/api/agents/active", params={"agent_type": "a2a"}))[
        "active_connections"
    ]
    assert (told["name"], told["function_name"]) == ("News", added["alias"])


ODD = {"name": "Odd", "description": "d", "skills": [{"id": "s", "description": "Does.\x00"}]}


@pytest.mark.parametrize(
    ("odd", "left_out"),
    [
        ({"skills": {}}, [("skills", "it is no list")]),
        (
            {"skills": [{"id": "s", "description": 1.5, "name": []}]},
            [("skills[0].name", "it is no text")],
        ),
        ({"description": {}}, [("description", "it is no text")]),
        ({"name": 5, "url": 5}, [("name", "it is no text"), ("url", "it is no text")]),
    ],
)
async def test_what_worked_before_stays_when_a_fault_is_found(
    user: User, database: Database, odd: dict[str, Any], left_out: list[tuple[str, str]]
) -> None:
    good_card = {
        "name": "Good",
        "description": "Works.",
        "url": "http://127.0.0.1:9/rpc",
        "skills": [{"id": "s", "name": "S", "description": "Does."}],
    }
    async with serving(answering(good_card)) as outsider:
        added = await add(user, outsider.url)
        outsider.app = answering({**good_card, **odd})
        target = Target(added["server_url"])
        await A2A_AGENTS.look_up_again(database, VAULT, OUT, target, added["card_url"])
        found = await read(user, added["id"])
        again = await add(user, outsider.url)
    assert found["is_active"]
    for shown in (found, again):
        assert [(one["name"], one["reason"]) for one in shown["left_out"]["parts"]][
            : len(left_out)
        ] == left_out
        for part in ("name", "alias", "description", "interfaces"):
            assert shown[part] == added[part]
        assert shown["card_content"]["skills"][0]["name"] == "S"


async def test_a_card_that_leads_nowhere_is_told(user: User) -> None:
    async with serving(answering({**ODD, "url": "ftp://127.0.0.1"})) as outsider:
        answer = await user.http.post(PATH, json={"server_url": outsider.url})
    assert "Its card has it called at ftp://127.0.0.1. The URL must begin" in refused(answer)


async def test_an_agent_without_a_name_is_called_by_its_host(user: User) -> None:
    async with serving(answering({**ODD, "name": None, "url": "/rpc"})) as outsider:
        added = await add(user, outsider.url)
    assert (added["name"], added["description"]) == ("127.0.0.1", "d")
    assert added["interfaces"][0]["url"] == f"{outsider.url}/rpc"
    assert added["left_out"]["parts"][0]["name"] == "name"


async def test_a_query_tells_agents_of_one_host_apart(user: User) -> None:
    async def answer(request: Any) -> JSONResponse:
        return JSONResponse({**ODD, "name": request.query_params["agent"]})

    routes = [Route("/.well-known/agent-card.json", answer)]
    async with serving(Starlette(routes=routes)) as outsider:
        added = [await add(user, f"{outsider.url}/?agent={name}") for name in "ab"]
    assert [one["name"] for one in added] == ["a", "b"]
    found = good(await user.http.get("/api/agents/active"))["active_connections"]
    assert {one["url"] for one in found} == {f"{outsider.url}/?agent={name}" for name in "ab"}
