"""What Swagger UI proposes to send succeeds, in the order of the page, for everybody who tries."""

import json
from contextlib import AsyncExitStack
from secrets import token_hex
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from gateway.web.examples import MARK
from tests.contract.strangers import CARD
from tests.gateway.openapi.test_documentation import DESCRIBED, DOCUMENT
from tests.gateway.outsiders import answering, make_mcp, running, serving
from tests.master import Master, echo
from tests.sql import Sql
from tests.users import Json, connect_to

LOGIN = "/api/login/access-token"
# What an authorization server or a provider has given.
GIVEN = {
    "/api/mcp/authorized",
    "/api/login/oidc/token",
    "/api/me/identities",
    "/api/email-verification/oidc",
}
LOGOUT = "POST /api/login/oidc/{provider}/backchannel-logout"
# A token of one's own, and a file from a picker, and that.
WITHOUT = {
    "POST /api/validate-token",
    "POST /files",
    "POST /api/me/import",
    LOGOUT,
    *(f"POST {path}" for path in GIVEN),
}
# What a link brings, and what sends mail, which not every installation does.
OF_MAILS = {
    "/api/password-reset",
    "/api/password-reset/mail",
    "/api/me/email",
    "/api/email-verification",
}
# By which one goes, and comes.
OF_LEAVERS = {"/api/me/deletion", "/api/me/import"}
# Only who is invited comes in, and a group that its last member has left can't be deleted.
OF_OTHERS = {"create_membership", "delete_membership"}
PROPOSED = [
    (f"{method.upper()} {path}", kind, content)
    for method, path, described in DESCRIBED
    for kind, content in described.get("requestBody", {}).get("content", {}).items()
]


@pytest.mark.parametrize(
    ("operation", "kind", "content"), PROPOSED, ids=[f"{one} {kind}" for one, kind, _ in PROPOSED]
)
def test_a_body_is_proposed_that_its_schema_allows(
    operation: str, kind: str, content: Json
) -> None:
    assert ("example" in content) == (operation not in WITHOUT)
    if "example" in content:
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(content["example"])


async def propose(http: httpx2.AsyncClient) -> dict[str, Any]:
    """The bodies that the page proposes for what creates something, in order.

    What has an id in its path is done to what was made: see the links.
    """
    text = (await http.get("/openapi.json")).text.replace(MARK, token_hex(4))
    paths = json.loads(text)["paths"]
    return {
        path: content.get("example")
        for path, methods in paths.items()
        if "post" in methods and "{" not in path and path not in GIVEN | OF_MAILS | OF_LEAVERS
        for content in methods["post"].get("requestBody", {}).get("content", {}).values()
    }


async def try_out(
    http: httpx2.AsyncClient, sql: Sql, own: dict[str, Json], made: dict[str, Any]
) -> dict[str, int]:
    """The status that each proposal gets, with what is one's own in it, and what was `made`.

    Agents connect as soon as they are registered.
    """
    proposed = await propose(http)
    statuses = {}
    for path, body in proposed.items():
        sent: Json = {"json": {**(body or {}), **own.get(path, {})}}
        if path == "/files":
            sent = {"files": {"file": ("a.txt", b"a")}}
        elif path == LOGIN:
            sent = {"data": body}
        answer = await http.post(path, **sent)
        statuses[path] = answer.status_code
        if "json" in answer.headers.get("content-type", ""):
            made[path] = answer.json()
        if path == LOGIN:
            token = answer.json()["access_token"]
            own["/api/validate-token"] = {"token": token}
            http.headers["Authorization"] = f"Bearer {token}"
        if path == "/api/agents/register":
            sql("UPDATE agents SET is_active = true WHERE id = %s", answer.json()["id"])
    return statuses


async def test_what_is_proposed_succeeds_in_order_for_one_after_the_other(
    visitor: httpx2.AsyncClient, sql: Sql, master: Master
) -> None:
    assert master.behave is echo  # it answers what is asked
    async with (
        running(make_mcp("tool")) as [app],
        serving(app) as tools,
        serving(answering(CARD)) as agent,
        AsyncExitStack() as stack,
    ):
        own = {
            "/api/mcp/servers": {"server_url": f"{tools.url}/mcp"},
            "/api/a2a/agents": {"server_url": agent.url},
        }
        for _ in range(2):
            http = await stack.enter_async_context(connect_to(str(visitor.base_url)))
            made: dict[str, Any] = {}
            statuses = await try_out(http, sql, own, made)
            assert statuses.keys() >= {"/api/register", "/api/agentflows/register", "/files"}
            assert {path: one for path, one in statuses.items() if one not in {200, 201, 204}} == {}
            followed = await follow_links(http, made)
            assert {line: one for line, one in followed.items() if one not in {200, 204}} == {}
            assert len(followed) > 20


async def follow_links(http: httpx2.AsyncClient, made: dict[str, Any]) -> dict[str, int]:
    """The status of each operation that is linked to what was made; what deletes comes last."""
    statuses = {}
    mark = made["/api/register"]["username"].removeprefix("ada-")
    links = [(path, link) for path in made for link in links_of(path)]
    for path, link in reversed(links):
        [(method, to, described)] = [one for one in DESCRIBED if names(one[2], link)]
        values = {key: look_up(made[path], where) for key, where in link["parameters"].items()}
        content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
        url = to.format(**values)
        query = {key: value for key, value in values.items() if f"{{{key}}}" not in to}
        proposed = json.dumps(content.get("example")).replace(MARK, mark)
        answer = await http.request(method, url, params=query, json=json.loads(proposed))
        statuses[f"{path}: {method} {to}"] = answer.status_code
    return statuses


def links_of(path: str) -> list[Json]:
    """What can be done with what is made there, deleting first."""
    responses = DOCUMENT["paths"][path]["post"]["responses"]
    all_ = [link for one in responses.values() for link in one.get("links", {}).values()]
    links = [link for link in all_ if link["operationId"] not in OF_OTHERS]
    return sorted(links, key=lambda link: not link["operationId"].startswith("delete"))


def names(described: Json, link: Json) -> bool:
    return bool(described["operationId"] == link["operationId"])


def look_up(body: Any, expression: str) -> str:
    """The value to which a runtime expression of OpenAPI leads."""
    for step in expression.removeprefix("$response.body#/").split("/"):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return str(body)


@pytest.mark.parametrize("name", ["request_id", "session_id"])
def test_the_list_of_logs_says_that_one_of_two_is_required(name: str) -> None:
    described = DOCUMENT["paths"]["/api/logs/list"]["get"]
    assert "Exactly one of `request_id` and `session_id` is required" in described["description"]
    [parameter] = [one for one in described["parameters"] if one["name"] == name]
    assert "required unless" in parameter["description"]


def is_allowed(name: str, body: Json) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(schema).is_valid(body))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("NewProvider", {"name": " Ollama "}, {"name": "openai"}),
        ("NewProvider", {"name": "openai", "api_key": "k"}, {"name": "openai", "api_key": " "}),
        ("NewServer", {"server_url": "HTTPS://a/b"}, {"server_url": "ftp://a"}),
        ("NewServer", {"server_url": "http://a"}, {"server_url": "http://" + "a" * 2048}),
        ("NewChat", {"session_id": "x", "title": " a "}, {"session_id": "x", "title": "  "}),
        ("WantedMember", {"id": "x", "type": "a2a"}, {"id": "x"}),
        ("WantedMember", {"id": "x", "type": "mcp"}, {"id": "x", "type": "flow"}),
    ],
)
def test_a_schema_says_what_a_handler_enforces(name: str, good: Json, bad: Json) -> None:
    assert is_allowed(name, good)
    assert not is_allowed(name, bad)
