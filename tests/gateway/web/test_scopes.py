"""Which scopes of API keys open each operation: to be read when it changes."""

from collections.abc import Collection
from uuid import uuid4

import pytest

from gateway.routes import operations
from gateway.web.auth import Access
from gateway.web.callers import Caller
from gateway.web.errors import InsufficientScopeError
from gateway.web.operation import Operation
from gateway.web.scopes import Scope

LLMS = ("/api/llm", "/api/llms")
SCOPES = {
    "": [
        "PATCH /api/profiles/{user_id}",
        "POST /api/me/password",
        "POST /api/me/confirmation",
        "GET /api/me/email",
        "POST /api/me/email",
        "POST /api/users/{user_id}/password-reset",
        "POST /api/me/deletion",
        "GET /api/me/export",
        "POST /api/me/import",
        "GET /api/me/identities",
        "POST /api/me/identities",
        "DELETE /api/me/identities/{identity_id}",
        "POST /api/logout",
        "GET /api/sessions/sign-ins",
        "DELETE /api/sessions/sign-ins/{sign_in_id}",
        "DELETE /api/sessions/sign-ins",
        "POST /api/keys",
        "GET /api/keys",
        "PATCH /api/keys/{key_id}",
        "DELETE /api/keys/{key_id}",
        "GET /api/mcp/servers/{server_id}/authorize",
        "POST /api/mcp/servers/{server_id}/authorize",
    ],
    "read": ["GET /api/profiles/{user_id}", "GET /api/me", "GET /api/usage"],
    "admin": [
        "GET /api/users",
        "GET /api/users/{user_id}",
        "PATCH /api/users/{user_id}",
        "DELETE /api/users/{user_id}",
        "GET /api/account-deletions",
        "GET /api/account-deletions/{user_id}",
        "GET /api/users/{user_id}/sign-ins",
        "DELETE /api/users/{user_id}/sign-ins",
        "DELETE /api/users/{user_id}/sign-ins/{sign_in_id}",
        "GET /api/users/{user_id}/keys",
        "DELETE /api/users/{user_id}/keys/{key_id}",
        "GET /api/admin/requests",
        "POST /api/admin/requests/{request_id}/cancel",
        "GET /api/admin/agents",
        "GET /api/audit",
        "GET /api/parts",
    ],
    "chat": [
        "POST /api/agents/{agent_id}/invoke",
        "POST /api/agentflows/{agentflow_id}/invoke",
        "POST /api/mcp/servers/{server_id}/tools/{tool_id}/call",
        "POST /api/a2a/agents/{agent_id}/send",
        "POST /api/chats",
        "PATCH /api/chat",
        "DELETE /api/chat",
        "POST /api/sessions/{session_id}/messages",
        "POST /api/requests/{request_id}/cancel",
        "POST /files",
        "DELETE /files/{file_id}",
        "POST /v1/chat/completions",
        "POST /v1/responses",
        "POST /ag-ui",
        "POST /mcp",
        "GET /mcp",
        "POST /a2a/{alias}",
        "POST /a2a/{alias}/{operation}",
        "DELETE /a2a/{alias}/{operation}",
    ],
    "chat read": [
        "GET /api/chats",
        "GET /api/chats/search",
        "GET /api/chats/{session_id}/export",
        "GET /api/changes",
        "GET /api/chat",
        "GET /api/sessions/{session_id}/events",
        "GET /api/requests",
        "GET /api/requests/{request_id}",
        "GET /api/requests/{request_id}/answer",
        "GET /api/logs/list",
        "GET /files",
        "GET /files/{file_id}",
        "GET /files/{file_id}/metadata",
        "GET /user/files/metadata",
        "GET /v1/models",
        "GET /v1/models/{model}",
        "GET /a2a/{alias}/{operation}",
    ],
    "agents": [
        "POST /api/agents/register",
        "PATCH /api/agents/{agent_id}",
        "DELETE /api/agents/{agent_id}",
        "POST /api/agents/{agent_id}/token",
        "POST /api/agentflows/register",
        "PATCH /api/agentflows/{agentflow_id}",
        "DELETE /api/agentflows/{agentflow_id}",
        *(
            f"{method} {api}/model{path}"
            for api in LLMS
            for method, path in (
                ("POST", "/provider"),
                ("PATCH", "/providers/{provider_name}"),
                ("POST", "/config"),
                ("POST", "_config"),
                ("PATCH", "/config/{model_config_id}"),
                ("DELETE", "/config/{model_config_id}"),
            )
        ),
        "POST /api/llm/model/config/{model_config_id}/try",
        "POST /api/mcp/servers",
        "PATCH /api/mcp/servers/{server_id}",
        "DELETE /api/mcp/servers/{server_id}",
        "POST /api/a2a/agents",
        "PATCH /api/a2a/agents/{agent_id}",
        "DELETE /api/a2a/agents/{agent_id}",
        "POST /api/publications",
        "DELETE /api/publications/{alias}",
        "POST /api/groups",
        "PATCH /api/groups/{group_id}",
        "DELETE /api/groups/{group_id}",
        "POST /api/groups/{group_id}/members",
        "PATCH /api/groups/{group_id}/members/{user_id}",
        "DELETE /api/groups/{group_id}/members/{user_id}",
        "POST /api/groups/{group_id}/membership",
        "DELETE /api/groups/{group_id}/membership",
        "POST /api/groups/{group_id}/shares",
        "DELETE /api/groups/{group_id}/shares/{share_id}",
    ],
    "read agents": [
        "GET /api/agents",
        "GET /api/agents/frontend",
        "GET /api/agents/active",
        "GET /api/agents/{agent_id}",
        "GET /api/agentflows",
        "GET /api/agentflows/{agentflow_id}",
        *(
            f"GET {api}/model/{path}"
            for api in LLMS
            for path in ("configs", "config/{model_config_id}", "prompt")
        ),
        "GET /api/mcp/servers",
        "GET /api/mcp/servers/{server_id}",
        "GET /api/a2a/agents",
        "GET /api/a2a/agents/{agent_id}",
        "GET /api/publications",
        "GET /api/publications/{alias}",
        "GET /api/groups",
        "GET /api/groups/{group_id}",
        "GET /api/groups/{group_id}/members",
        "GET /api/groups/{group_id}/shares",
        "GET /api/shares",
    ],
}


def test_each_operation_is_opened_by_what_the_table_says() -> None:
    found: dict[str, set[str]] = {}
    for each in operations:
        if each.access is not Access.ANYONE:
            found.setdefault(" ".join(each.opened_by), set()).add(f"{each.method} {each.path}")
    assert found == {scopes: set(lines) for scopes, lines in SCOPES.items()}


def test_where_nobody_says_anything_keys_read_and_write_nothing() -> None:
    async def handler(_call: object) -> None: ...

    def opened(method: str, access: Access = Access.USER) -> Collection[Scope]:
        line = Operation(method=method, path="/api/new", handler=handler, access=access)
        return line.opened_by

    assert [list(opened(method)) for method in ("GET", "POST", "DELETE")] == [["read"], [], []]
    assert [list(opened(each, Access.ADMIN)) for each in ("GET", "POST")] == [["admin"]] * 2


@pytest.mark.parametrize(
    ("opening", "challenge"),
    [
        ((), 'Bearer error="insufficient_scope"'),
        ((Scope.READ,), 'Bearer error="insufficient_scope", scope="read"'),
        ((Scope.CHAT, Scope.READ), 'Bearer error="insufficient_scope", scope="chat read"'),
    ],
)
def test_a_key_for_something_else_is_told_what_is_wanted(
    opening: Collection[Scope], challenge: str
) -> None:
    owner = uuid4()
    caller = Caller(owner, scopes=frozenset({Scope.AGENTS}))
    with pytest.raises(InsufficientScopeError) as refused:
        caller.check_scopes(opening)
    assert refused.value.headers["WWW-Authenticate"] == challenge
    Caller(owner).check_scopes(opening)
