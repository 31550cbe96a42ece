"""What members of a group can do with what another one shares, and what they can't."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import frozen

from tests.asked import agent_that, create_flow, saying
from tests.end_to_end.doors.visitors import log_frame
from tests.gateway.belongings import Belongings, insert_person, user_token
from tests.gateway.groups.sharing import make_group, share, unshare
from tests.master import Invocation, Master, answer
from tests.mcpserver import mcp_client
from tests.sql import Sql
from tests.system import SERVICE_KEY, System
from tests.users import Json, User, connect_to

LISTS = {
    "agent": "/api/agents",
    "flow": "/api/agentflows",
    "mcp_server": "/api/mcp/servers",
    "a2a_agent": "/api/a2a/agents",
    "config": "/api/llm/model/configs",
}


@frozen
class Sharing:
    """Somebody who has one thing of each kind, and a group with whom he shares all of them."""

    owner: User
    has: Belongings
    group_id: str
    shares: dict[str, str]

    async def end(self) -> None:
        """Share nothing any more."""
        for share_id in self.shares.values():
            await unshare(self.owner, self.group_id, share_id)

    @property
    def targets(self) -> dict[str, str]:
        """The ids of what is shared, by kind."""
        has = self.has
        ids = has.agent_id, has.flow_id, has.server_id, has.card_id, has.config_id
        return dict(zip(LISTS, ids, strict=True))


@pytest.fixture
async def sharing(system: System, sql: Sql, user: User) -> AsyncIterator[Sharing]:
    """One of whose group the user is a member."""
    has = insert_person(sql, system)
    token = user_token(system.settings, has)
    async with connect_to(system.gateway, Authorization=f"Bearer {token}") as http:
        owner = User(http, has.user_id, has.marker, token)
        group_id = await make_group(owner, user)
        kinds = {**LISTS}
        shared = Sharing(owner, has, group_id, {})
        for kind in kinds:
            shared.shares[kind] = await share(owner, group_id, kind, shared.targets[kind])
        yield shared


def found_in(listed: Any, id_: str) -> Any:
    """What has this id in a list, at whatever depth."""
    match listed:
        case {"id": found} | {"agent_id": found} if found == id_:
            return listed
        case dict():
            return found_in([*listed.values()], id_)
        case list():
            return next((one for each in listed if (one := found_in(each, id_))), None)
    return None


async def test_what_is_shared_is_listed_only_where_that_is_asked_for(
    user: User, sharing: Sharing
) -> None:
    for kind, path in LISTS.items():
        id_ = sharing.targets[kind]
        assert found_in((await user.http.get(path)).json(), id_) is None
        shared = found_in((await user.http.get(path, params={"shared": True})).json(), id_)
        assert (shared["owner"], shared["shared"]) == (sharing.owner.name, True)
        of_owner = (await sharing.owner.http.get(path)).json()
        assert not {"owner", "shared"} & found_in(of_owner, id_).keys()
        assert (await sharing.owner.http.get(path, params={"shared": True})).json() == []


async def test_what_is_shared_can_be_read_without_what_is_secret(
    user: User, sharing: Sharing, sql: Sql
) -> None:
    has = sharing.has
    sql("""UPDATE mcpservers SET headers = '{"x-key": "sealed"}' WHERE id = %s""", has.server_id)
    sql("""UPDATE a2acards SET headers = '{"x-key": "sealed"}' WHERE id = %s""", has.card_id)
    for path in (
        f"/api/agents/{has.agent_id}",
        f"/api/agentflows/{has.flow_id}",
        f"/api/mcp/servers/{has.server_id}",
        f"/api/a2a/agents/{has.card_id}",
        f"/api/llm/model/config/{has.config_id}",
        *(f"{path}?shared=true" for path in LISTS.values()),
        "/api/agents/active?shared=true",
    ):
        told = await user.http.get(path)
        assert told.status_code == 200, told.text
        for secret in (has.agent_token, has.api_key, "x-key", "header_names", "********", "note"):
            assert not secret or secret not in told.text, (path, secret)


async def test_what_is_shared_is_changed_deleted_and_shared_again_by_its_owner_alone(
    user: User, sharing: Sharing
) -> None:
    has, own_group = sharing.has, await make_group(user)
    changes: dict[str, tuple[str, Json]] = {
        f"/api/agents/{has.agent_id}": (
            "PATCH",
            {"name": "a", "description": "b", "input_parameters": {}},
        ),
        f"/api/agents/{has.agent_id}/token": ("POST", {}),
        f"/api/agentflows/{has.flow_id}": (
            "PATCH",
            {"name": "a", "description": "b", "flow": [{"id": has.agent_id, "type": "genai"}] * 2},
        ),
        f"/api/llm/model/config/{has.config_id}": ("PATCH", {"name": "mine"}),
        f"/api/llm/model/providers/{has.marker}": ("PATCH", {"api_key": "stolen"}),
        f"/api/mcp/servers/{has.server_id}": ("PATCH", {"bearer_token": "mine"}),
        f"/api/a2a/agents/{has.card_id}": ("PATCH", {"bearer_token": "mine"}),
    }
    for path, (method, body) in changes.items():
        refused = await user.http.request(method, path, json=body)
        assert refused.status_code == 400, (path, refused.text)
    for path in (
        f"/api/agents/{has.agent_id}",
        f"/api/agentflows/{has.flow_id}",
        f"/api/llm/model/config/{has.config_id}",
        f"/api/mcp/servers/{has.server_id}",
        f"/api/a2a/agents/{has.card_id}",
        f"/api/groups/{sharing.group_id}/shares/{sharing.shares['agent']}",
    ):
        assert (await user.http.delete(path)).status_code == 400, path
    for kind, id_ in sharing.targets.items():
        again = await user.http.post(
            f"/api/groups/{own_group}/shares", json={"kind": kind, "id": id_}
        )
        assert again.status_code == 400, kind
    published = await user.http.post(
        "/api/publications", json={"kind": "agent", "id": has.agent_id}
    )
    assert published.status_code == 400


async def test_a_chat_has_what_is_shared_until_it_is_shared_no_more(
    user: User, sharing: Sharing, master: Master
) -> None:
    named = {"llm_name": f"{sharing.has.marker}@{sharing.owner.name}"}
    async with user.chat() as chat:
        frame = await chat.ask("hello", **named)
        assert frame["response"]["is_success"] is True, frame
        given = master.invocations[-1].payload
        assert [each["agent_id"] for each in given["agents"]] == [
            sharing.has.flow_id,
            sharing.has.agent_id,
        ]
        assert given["configs"]["llm"]["api_key"] == sharing.has.marker
        await sharing.end()
        frame = await chat.ask("hello")
        assert frame["response"]["is_success"] is True
        given = master.invocations[-1].payload
        assert (given["agents"], given["configs"]["llm"]["config_name"]) == ([], "config")
        frame = await chat.ask("hello", **named)
        assert frame["response"]["is_success"] is False


async def test_a_shared_config_is_used_where_there_is_no_other(
    user: User, sharing: Sharing, master: Master, sql: Sql
) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
        assert master.invocations[-1].payload["configs"]["llm"]["config_name"] == "config"
        sql("DELETE FROM modelconfigs WHERE creator_id = %s", user.id)
        await chat.ask("hello")
        llm = master.invocations[-1].payload["configs"]["llm"]
    assert (llm["config_name"], llm["api_key"]) == (sharing.has.marker, sharing.has.marker)


async def test_a_key_that_a_shared_config_brings_shows_in_no_log(
    user: User, sharing: Sharing, master: Master
) -> None:
    key = sharing.has.marker

    async def behave(invocation: Invocation) -> Any:
        await invocation.log(f"the key is {invocation.payload['configs']['llm']['api_key']}")
        return answer("done")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("hello", llm_name=f"{key}@{sharing.owner.name}")
        log = await chat.receive()
    assert log["log"]["message"] == "the key is ********"


async def test_the_master_agent_is_told_of_tools_and_a2a_agents_that_are_shared(
    system: System, user: User, sharing: Sharing
) -> None:
    async with connect_to(system.gateway, **{"x-api-key": SERVICE_KEY}) as service:
        query = {"user_id": user.id}
        told = (await service.get("/api/agents/active", params=query)).json()
        by_id = {each["id"]: each for each in told["active_connections"]}
        has = sharing.has
        assert by_id.keys() == {has.flow_id, has.agent_id, has.tool_id, has.card_id}
        assert {each["owner"] for each in by_id.values()} == {sharing.owner.name}
        of_user = (await user.http.get("/api/agents/active")).json()
        assert of_user == {"count_active_connections": 0, "active_connections": []}
        await sharing.end()
        told = (await service.get("/api/agents/active", params=query)).json()
        assert told["count_active_connections"] == 0


@pytest.mark.parametrize("kind", ["agent", "flow"])
async def test_a_member_asks_a_shared_agent_itself_in_every_way(
    system: System, user: User, other_user: User, kind: str
) -> None:
    async with agent_that(system, other_user, saying(str.upper)) as (visitor, agent):
        agent_id = asked_id = agent["id"]
        path = "agents"
        if kind == "flow":
            asked_id = await create_flow(other_user, agent_id, agent_id)
            path = "agentflows"
        group_id = await make_group(other_user, user)
        refused = await user.http.post(f"/api/{path}/{asked_id}/invoke", json={"message": "a"})
        assert refused.status_code == 404
        share_id = await share(other_user, group_id, kind, asked_id)

        invoked = await user.http.post(f"/api/{path}/{asked_id}/invoke", json={"message": "a"})
        assert invoked.json()["response"]["response"] == "A", invoked.text
        models = {
            each["id"]: each["owned_by"]
            for each in (await user.http.get("/v1/models")).json()["data"]
        }
        name = next(each for each in models if models[each] == kind)
        body = {"model": name, "messages": [{"role": "user", "content": "b"}]}
        completed = (await user.http.post("/v1/chat/completions", json=body)).json()
        assert completed["choices"][0]["message"]["content"] == "B"
        async with mcp_client(user) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert tools == {"ask", name}
            called = await client.call_tool(name, {"text": "c"})
            assert called.content[0].text == "C"  # type: ignore[union-attr]
        assert [each["request_payload"] for each in visitor.invocations][-1] == {
            "text": "c" if kind == "agent" else "C"
        }

        await unshare(other_user, group_id, share_id)
        refused = await user.http.post(f"/api/{path}/{asked_id}/invoke", json={"message": "a"})
        assert refused.status_code == 404
        assert (await user.http.post("/v1/chat/completions", json=body)).status_code == 404


async def test_a_shared_agent_logs_into_the_chat_that_it_works_for_and_its_owner_sees_nothing(
    system: System, user: User, other_user: User
) -> None:
    async with agent_that(system, other_user) as (visitor, agent):
        group_id = await make_group(other_user, user)
        await share(other_user, group_id, "agent", agent["id"])
        path = f"/api/agents/{agent['id']}/invoke"
        told = (await user.http.post(path, params={"wait": 0}, json={"message": "a"})).json()
        call = await visitor.next_invocation()
        query = {"session_id": told["session_id"]}
        async with user.chat(told["session_id"], after=0) as chat:
            await visitor.say(log_frame("at it", told["request_id"], told["session_id"]))
            log = await chat.receive()
            assert log["log"]["message"] == "at it"
        assert call
        assert (await other_user.http.get("/api/logs/list", params=query)).json() == []
        assert (await other_user.http.get("/api/chat", params=query)).json()["items"] == []
