"""What users publish: who may, under which aliases, and until when."""

from typing import Any
from uuid import uuid4

import pytest

from tests.asked import create_flow
from tests.gateway.shapes import assert_shape, faults, good, refused
from tests.sql import Sql
from tests.users import Json, User

PUBLICATION = {"alias", "kind", "id", "name", "created_at", "url", "card_url"}


async def publish(user: User, kind: str, id_: str, **others: Any) -> Any:
    return await user.http.post("/api/publications", json={"kind": kind, "id": id_, **others})


async def config_of(user: User) -> Json:
    [provider] = good(await user.http.get("/api/llm/model/configs"))
    config: Json = provider["configs"][0]
    return config


def an_alias() -> str:
    return f"clock-{uuid4().hex}"


async def test_an_agent_is_published_under_its_alias(user: User) -> None:
    agent = await user.register_agent("Clock", "tells the time")
    made = good(await publish(user, "agent", agent["id"]))
    assert_shape(made, PUBLICATION)
    assert (made["alias"], made["kind"], made["id"]) == (agent["alias"], "agent", agent["id"])
    assert made["name"] == "clock"
    gateway = str(user.http.base_url).rstrip("/")
    assert made["url"] == f"{gateway}/a2a/{agent['alias']}"
    assert made["card_url"] == f"{made['url']}/.well-known/agent-card.json"
    assert good(await user.http.get(f"/api/publications/{made['alias']}")) == made


async def test_flows_and_configs_are_published_under_aliases_of_choice(
    user: User, sql: Sql
) -> None:
    agent = await user.register_agent("clock", "tells the time")
    sql("UPDATE agents SET is_active = true WHERE id = %s", agent["id"])
    flow = await create_flow(user, agent["id"], agent["id"])
    config = await config_of(user)
    of_flow, of_config = an_alias(), an_alias()
    for kind, id_, alias in (("flow", flow, of_flow), ("config", config["id"], of_config)):
        made = good(await publish(user, kind, id_, alias=alias))
        assert (made["alias"], made["kind"], made["id"]) == (alias, kind, id_)
    listed = good(await user.http.get("/api/publications"))
    assert [each["alias"] for each in listed] == [of_config, of_flow]
    last = good(await user.http.get("/api/publications", params={"offset": 1}))
    assert [each["alias"] for each in last] == [of_flow]


async def test_a_config_gets_an_alias_that_is_made_of_its_name(user: User) -> None:
    config = await config_of(user)
    made = good(await publish(user, "config", config["id"]))
    name, _, letters = made["alias"].rpartition("_")
    assert (name, len(letters)) == (config["name"], 6)


@pytest.mark.parametrize(
    "alias", ["ab", "a" * 65, "Clock", "a b c", "a/b/c", "ürgh", "a.b", "abc\n"]
)
async def test_an_alias_that_no_address_should_have_is_refused(user: User, alias: str) -> None:
    agent = await user.register_agent()
    assert "'alias'" in refused(await publish(user, "agent", agent["id"], alias=alias))


async def test_an_alias_is_one_user_s(user: User, other_user: User) -> None:
    mine, theirs = await user.register_agent(), await other_user.register_agent()
    alias = an_alias()
    good(await publish(user, "agent", mine["id"], alias=alias))
    sentence = refused(await publish(other_user, "agent", theirs["id"], alias=alias))
    assert sentence == f"The alias '{alias}' is taken"
    assert good(await other_user.http.get("/api/publications")) == []
    for call in (other_user.http.get, other_user.http.delete):
        sentence = refused(await call(f"/api/publications/{alias}"))
        assert sentence == f"You have published nothing as '{alias}'"


async def test_a_thing_is_published_once(user: User) -> None:
    agent = await user.register_agent()
    good(await publish(user, "agent", agent["id"], alias=an_alias()))
    sentence = refused(await publish(user, "agent", agent["id"], alias=an_alias()))
    assert sentence == f"The agent '{agent['id']}' is published already"


async def test_nobody_publishes_what_is_another_user_s(user: User, other_user: User) -> None:
    agent = await user.register_agent()
    for kind, id_ in (("agent", agent["id"]), ("flow", agent["id"]), ("config", str(uuid4()))):
        sentence = refused(await publish(other_user, kind, id_))
        assert sentence == f"You have no {kind} with id '{id_}'"


async def test_what_is_malformed_is_told(user: User) -> None:
    assert faults(await publish(user, "agent", "x")) == [("uuid_parsing", ["body", "id"])]
    assert "kind" in refused(await publish(user, "tool", str(uuid4())))


async def test_a_publication_ends_when_its_owner_says_so_or_what_is_published_is_gone(
    user: User,
) -> None:
    deleted, ended = await user.register_agent(), await user.register_agent()
    aliases = [good(await publish(user, "agent", each["id"]))["alias"] for each in (deleted, ended)]
    assert (await user.http.delete(f"/api/agents/{deleted['id']}")).status_code == 204
    assert (await user.http.delete(f"/api/publications/{aliases[1]}")).status_code == 204
    assert good(await user.http.get("/api/publications")) == []
    for alias in aliases:
        gone = await user.http.get(f"/a2a/{alias}/.well-known/agent-card.json")
        assert gone.status_code == 404
    assert good(await publish(user, "agent", ended["id"]))["alias"] == aliases[1]
