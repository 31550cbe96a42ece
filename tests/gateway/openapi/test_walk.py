"""Whoever tries every operation of the page, one after the other, with what it proposes, succeeds.

What a server has chosen an id for is named by what earlier answers said.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex
from typing import Any

import httpx2
from attrs import define, field
from starlette.applications import Starlette

from devstack.sample_a2a_agent import make_agent
from gateway.web.examples import MARK, SESSION_ID
from tests.asked import TEXT
from tests.end_to_end.doors.visitors import REGISTER, answer_to, visiting
from tests.gateway.openapi.test_documentation import DESCRIBED
from tests.gateway.openapi.test_examples import LOGIN, look_up
from tests.gateway.outsiders import make_mcp, running, serving
from tests.master import Master, echo
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, connect_to, eventually, register_user

# What one installation alone can't show, and what that takes.
BEYOND = {
    "a provider of OpenID Connect": {
        "POST /api/login/oidc/token",
        "GET /api/login/oidc/{provider}",
        "GET /api/login/oidc/{provider}/callback",
        "GET /api/login/oidc/{provider}/logout",
        "POST /api/login/oidc/{provider}/backchannel-logout",
        "POST /api/me/identities",
        "DELETE /api/me/identities/{identity_id}",
        "POST /api/email-verification/oidc",
    },
    "mail": {"POST /api/password-reset/mail", "POST /api/me/email", "POST /api/email-verification"},
    "an authorization server of an MCP server, and a PUBLIC_URL": {
        "GET /api/mcp/servers/{server_id}/authorize",
        "POST /api/mcp/servers/{server_id}/authorize",
        "GET /api/mcp/authorized",
        "POST /api/mcp/authorized",
        "GET /api/mcp/client",
        "GET /.well-known/oauth-protected-resource/mcp",
        "GET /.well-known/oauth-protected-resource",
    },
    "push notifications of A2A, which are not supported": {"DELETE /a2a/{alias}/{operation}"},
}
# What ends how something is, and not that it is there.
THEN = (
    "POST /api/agents/{agent_id}/token",
    "POST /api/requests/{request_id}/cancel",
    "POST /api/admin/requests/{request_id}/cancel",
)
# What needs what others have said, and what ends what others need, in this order.
LAST = (
    "POST /api/password-reset",
    "POST /api/me/import",
    "DELETE /api/sessions/sign-ins",
    "DELETE /api/users/{user_id}",
    "GET /api/account-deletions/{user_id}",
    "POST /api/logout",
    "POST /api/me/deletion",
)
# Where the value of a parameter is, by its name and how the path begins: in which answer.
SAID = {
    ("request_id", ""): ("POST /api/sessions/{session_id}/messages", "/request_id"),
    ("agent_id", "/api/agents"): ("POST /api/agents/register", "/id"),
    ("agent_id", "/api/a2a"): ("POST /api/a2a/agents", "/id"),
    ("agentflow_id", ""): ("POST /api/agentflows/register", "/id"),
    ("model_config_id", "/api/llm/"): ("POST /api/llm/model/config", "/0/configs/0/id"),
    ("model_config_id", "/api/llms/"): ("POST /api/llms/model/config", "/0/configs/0/id"),
    ("provider_name", "/api/llm/"): ("POST /api/llm/model/provider", "/provider"),
    ("provider_name", "/api/llms/"): ("POST /api/llms/model/provider", "/provider"),
    ("server_id", ""): ("POST /api/mcp/servers", "/id"),
    ("alias", ""): ("POST /api/publications", "/alias"),
    ("group_id", ""): ("POST /api/groups", "/id"),
    ("share_id", ""): ("POST /api/groups/{group_id}/shares", "/id"),
    ("file_id", ""): ("POST /files", "/id"),
    ("model", ""): ("GET /v1/models", "/data/0/id"),
    ("key_id", "/api/keys"): ("POST /api/keys", "/id"),
    ("key_id", "/api/users"): ("GET /api/users/{user_id}/keys", "/0/id"),
    ("user_id", "/api/profiles"): ("POST /api/register", "/id"),
    ("sign_in_id", "/api/users"): ("GET /api/users/{user_id}/sign-ins", "/0/id"),
    ("sign_in_id", "/api/sessions"): ("GET /api/sessions/sign-ins", "/sign_ins/0/id"),
}
OF_SECOND = {
    "POST /api/groups/{group_id}/membership",
    "DELETE /api/groups/{group_id}/membership",
    "POST /api/logout",
}
LINES = {f"{method.upper()} {path}": described for method, path, described in DESCRIBED}


def in_order() -> Iterator[str]:
    """What makes something, what reads it, what changes it, and what deletes it, last first."""
    aside = {*THEN, *LAST, *(line for lines in BEYOND.values() for line in lines)}
    lines = [line for line in LINES if line not in aside]
    makes = [line for line in lines if line.startswith("POST") and "{" not in line]
    does = [line for line in lines if line.startswith("POST") and "{" in line]
    reads = [line for line in lines if line.startswith("GET")]
    changes = [line for line in lines if line.startswith("PATCH")]
    deletes = [line for line in lines if line.startswith("DELETE")]
    yield from [*makes, *does, *reads, *changes, *THEN, *reversed(deletes), *LAST]


@define
class Walk:
    """A person at the page, and what the answers have said."""

    http: httpx2.AsyncClient
    second: httpx2.AsyncClient
    values: dict[str, str] = field(factory=dict)
    """Of parameters, by an operation and a name, or by a name."""
    own: dict[str, Json] = field(factory=dict)
    """What stands in a body in place of what is proposed: one's own address, file or token."""
    mark: str = field(factory=lambda: token_hex(4))
    said: dict[str, Any] = field(factory=dict)
    failed: dict[str, str] = field(factory=dict)
    export: bytes = b""

    async def try_out(self, line: str) -> None:
        """Call an operation as it is proposed."""
        method, path = line.split(" ")
        described = json.loads(json.dumps(LINES[line]).replace(MARK, self.mark))
        named = {each["name"]: self.value(line, each) for each in described.get("parameters", [])}
        query = {name: one for name, one in named.items() if one and f"{{{name}}}" not in path}
        http = self.second if line in OF_SECOND else self.http
        headers = {"A2A-Version": "1.0"} if "/a2a/{alias}/{operation}" in line else {}
        url, sent = path.format_map(named), self.body(line, described)
        call = http.stream(method, url, params=query, headers=headers, **sent)
        async with call as answer:
            kind = answer.headers.get("content-type", "").partition(";")[0]
            content = b"" if kind == "text/event-stream" else await answer.aread()
        if answer.status_code >= 400:
            self.failed[line] = f"{answer.status_code} {content.decode()[:300]}"
        elif kind == "application/json":
            self.said[line] = json.loads(content)
        elif kind == "application/zip":
            self.export = content

    def value(self, line: str, parameter: Json) -> str:
        """What is proposed, or was said before; nothing for what may be left out."""
        name, path = parameter["name"], line.split(" ")[1]
        given = self.values.get(f"{line} {name}", parameter.get("example"))
        if given is not None or not parameter["required"]:
            return str(given or "")
        for (known, prefix), (source, pointer) in SAID.items():
            if known == name and path.startswith(prefix):
                return look_up(self.said[source], f"$response.body#{pointer}")
        return self.values[name]

    def body(self, line: str, described: Json) -> Json:
        """The arguments of the request."""
        content = described.get("requestBody", {}).get("content", {})
        if not content:
            return {}
        [(kind, shown), *_] = content.items()
        proposed = {**shown.get("example", {}), **self.own.get(line, {})}
        if kind == "application/json":
            return {"json": proposed}
        return {"files" if "file" in proposed else "data": proposed}


def test_an_operation_that_takes_more_is_one() -> None:
    assert {
        line for lines in (*BEYOND.values(), THEN, LAST, OF_SECOND) for line in lines
    } <= LINES.keys()


async def test_each_operation_succeeds_with_what_is_proposed_in_order(
    visitor: httpx2.AsyncClient, system: System, sql: Sql, master: Master
) -> None:
    assert master.behave is echo  # it answers what is asked
    gateway = str(visitor.base_url)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        [app] = await enter(running(make_mcp("tool")))
        tools, card = await enter(serving(app)), await enter(serving(Starlette()))
        card.app = make_agent(card.url)
        somebody, second = [await enter(register_user(gateway)) for _ in range(2)]
        walk = Walk(await enter(connect_to(gateway)), second.http)
        walk.values = {
            "user_id": somebody.id,
            "PATCH /api/groups/{group_id}/members/{user_id} user_id": second.id,
            "GET /api/logs/list session_id": SESSION_ID.replace(MARK, walk.mark),
            "POST /a2a/{alias}/{operation} operation": "message:send",
            "GET /a2a/{alias}/{operation} operation": "tasks",
        }
        walk.own = {
            "POST /api/mcp/servers": {"server_url": f"{tools.url}/mcp"},
            "POST /api/a2a/agents": {"server_url": card.url},
            "POST /files": {"file": ("a.txt", b"a")},
            "POST /api/groups/{group_id}/members": {"username": second.name},
        }
        await make_key(somebody)
        for line in in_order():
            await walk.try_out(line)
            told = walk.said.get(line, {})
            match line:
                case "POST /api/login/access-token":
                    walk.http.headers["Authorization"] = f"Bearer {told['access_token']}"
                    walk.own["POST /api/validate-token"] = {"token": told["access_token"]}
                    for id_ in (walk.said["POST /api/register"]["id"], second.id):
                        sql("UPDATE users SET role = 'admin' WHERE id = %s", id_)
                case "POST /api/mcp/servers":
                    server = await walk.http.get(f"/api/mcp/servers/{told['id']}")
                    walk.values["tool_id"] = server.json()["mcp_tools"][0]["id"]
                case "POST /api/agents/register":
                    await enter(connected(system, walk.http, told))
                case "POST /api/groups/{group_id}/members":
                    path = f"/api/groups/{walk.said['POST /api/groups']['id']}/members"
                    again = await walk.http.post(path, json={"username": somebody.name})
                    assert again.status_code == 200, again.text
                case "POST /api/me/password":
                    await log_in_again(walk)
                case "POST /api/users/{user_id}/password-reset":
                    walk.own["POST /api/password-reset"] = {"token": told["token"]}
                case "GET /api/me/export":
                    walk.own["POST /api/me/import"] = {"file": ("a.zip", walk.export)}
    assert walk.failed == {}


async def make_key(user: User) -> None:
    made = await user.http.post("/api/keys", json={"name": "key", "scopes": ["read"]})
    assert made.status_code == 200, made.text


async def log_in_again(walk: Walk) -> None:
    """From another device, as it were: that sign-in can be ended."""
    changed = LINES["POST /api/me/password"]["requestBody"]["content"]["application/json"]
    form = {"username": f"ada-{walk.mark}", "password": changed["example"]["new_password"]}
    login = await walk.http.post(LOGIN, data=form)
    assert login.status_code == 200, login.text


@asynccontextmanager
async def connected(
    system: System, http: httpx2.AsyncClient, registered: Json
) -> AsyncIterator[None]:
    """The agent that was registered, connected: it takes a text, and answers."""

    def react(frame: Json) -> Json | None:
        return answer_to(frame, "noon") if "request_payload" in frame else None

    async def is_active() -> bool:
        told = await http.get(f"/api/agents/{registered['id']}")
        return bool(told.json()["is_active"])

    token = registered["jwt"]
    async with visiting(system.router_url, X_Custom_Authorization=token) as visitor:
        visitor.react = react
        payload = {**REGISTER["request_payload"], "agent_input_schema": TEXT}
        await visitor.say({**REGISTER, "request_payload": payload})
        await eventually(is_active, "the agent is active")
        yield
