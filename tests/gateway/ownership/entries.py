"""The matrix: how each operation is called for an object, and what it gives for another user's.

`{…}` in a path, a query or a body stands for what the object's owner has, `{my_…}` for what the
caller has, `{new}` and `{new_id}` for something new.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import uuid4

import attrs
from attrs import field, frozen

from gateway.routes import operations
from gateway.web.operation import Operation
from tests.gateway.belongings import Belongings


class Foreign(Enum):
    """What asking for another user's object gives."""

    UNKNOWN = "a refusal, as if there were no such object"
    EMPTY = "nothing, as if there were no such object"
    OTHERS = "the caller's own objects"
    MAKES = "a new object of the caller's"
    SAME = "the same for everybody"
    TAKEN = "a refusal, for an id or name that only one can have"


@frozen
class Entry:
    """One way to call an operation; `own` is the status for the owner.

    `says` is the sentence of a refusal, which another user gets with the status `refused`.
    """

    line: str
    foreign: Foreign
    own: int = 200
    note: str = ""
    says: str = ""
    refused: int = 400
    path: str = ""
    query: Mapping[str, Any] = field(factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    file: bool = False
    headers: Mapping[str, str] = field(factory=dict)

    def __str__(self) -> str:
        return f"{self.line} {self.note}".strip()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.line.split(" ")[0]

    def call(self, of: Belongings, caller: Belongings, **more: str) -> dict[str, Any]:
        """The arguments of a request about somebody's belongings."""
        new = {"new": f"new{uuid4().hex}", "new_id": str(uuid4())}
        mine = {f"my_{name}": value for name, value in attrs.asdict(caller).items()}
        names = {**attrs.asdict(of), **mine, **new, **more}
        given = {"params": self.query, "json": self.json, "data": self.form}
        files = {"file": ("a.txt", b"new", "text/plain")} if self.file else None
        url = (self.path or self.line.split(" ")[1]).format_map(names)
        filled = {name: _fill(value, names) for name, value in given.items() if value is not None}
        return {"method": self.method, "url": url, **filled, "files": files}


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(names)
        case list():
            return [_fill(each, names) for each in value]
        case Mapping():
            return {key: _fill(each, names) for key, each in value.items()}
    return value


UNKNOWN, EMPTY, OTHERS, MAKES, SAME, TAKEN = Foreign

USER = {"username": "{marker}", "password": "Passw0rd!"}
AGENT = {"name": "{new}", "description": "d", "input_parameters": {}}
SESSION = {"session_id": "{session_id}"}
MEMBERS = {
    "genai": [{"id": "{agent_id}", "type": "genai"}] * 2,
    "mcp": [{"id": "{tool_id}", "type": "mcp"}] * 2,
    "a2a": [{"id": "{card_id}", "type": "a2a"}] * 2,
    "all kinds": [
        {"id": "{agent_id}", "type": "genai"},
        {"id": "{tool_id}", "type": "mcp"},
        {"id": "{card_id}", "type": "a2a"},
    ],
}
FLOWS = {
    kind: {"name": "{new}", "description": "d", "flow": flow} for kind, flow in MEMBERS.items()
}
CONFIG = {"name": "{new}", "model": "m", "provider": "{marker}"}

NO_PROFILE = "Profile with of user with id '{user_id}' was not found"
ACCOUNTS = [
    Entry("POST /api/register", TAKEN, says="User '{marker}' already exists", json=USER),
    Entry(
        "POST /api/login/access-token",
        UNKNOWN,
        says="Incorrect username or password",
        form=USER,
    ),
    Entry("POST /api/validate-token", SAME, json={"token": "{agent_token}"}),
    Entry("GET /api/profiles/{user_id}", UNKNOWN, says=NO_PROFILE),
    Entry("PATCH /api/profiles/{user_id}", UNKNOWN, says=NO_PROFILE, json={"first_name": "{new}"}),
]
NO_AGENT = "Agent '{agent_id}' does not exist"
AGENTS = [
    Entry("POST /api/agents/register", MAKES, json=AGENT),
    Entry(
        "POST /api/agents/register",
        TAKEN,
        400,
        "same id",
        "Agent with {agent_id} already exists",
        json={**AGENT, "id": "{agent_id}"},
    ),
    Entry("GET /api/agents", OTHERS),
    Entry("GET /api/agents", EMPTY, note="by name", query={"name": "{marker}"}),
    Entry("GET /api/agents/frontend", OTHERS),
    *(
        Entry("GET /api/agents/active", OTHERS, note=kind, query={"agent_type": kind})
        for kind in ("genai", "mcp", "a2a", "all")
    ),
    Entry("GET /api/agents/{agent_id}", UNKNOWN, says=NO_AGENT),
    Entry("PATCH /api/agents/{agent_id}", UNKNOWN, says=NO_AGENT, json=AGENT),
    Entry("DELETE /api/agents/{agent_id}", UNKNOWN, 204, says="Agent {agent_id} was not found"),
    Entry("POST /api/agents/{agent_id}/token", UNKNOWN, says=NO_AGENT),
    Entry(
        "POST /api/agents/{agent_id}/token",
        UNKNOWN,
        note="that expires",
        says=NO_AGENT,
        json={"expires_in": 60},
    ),
]
FLOW, AT_FLOW = "/api/agentflows/{agentflow_id}", "/api/agentflows/{flow_id}"
AGENTFLOWS = [
    *(
        Entry("POST /api/agentflows/register", UNKNOWN, note=f"of {kind}", json=flow)
        for kind, flow in FLOWS.items()
    ),
    Entry("GET /api/agentflows", OTHERS),
    Entry(f"GET {FLOW}", UNKNOWN, path=AT_FLOW, says="Flow with id '{flow_id}' does not exist"),
    Entry(
        f"PATCH {FLOW}",
        UNKNOWN,
        says="Agentflow with ID '{flow_id}' was not found",
        path=AT_FLOW,
        json={**FLOWS["genai"], "flow": [{"id": "{my_agent_id}", "type": "genai"}] * 2},
    ),
    Entry(
        f"PATCH {FLOW}",
        UNKNOWN,
        note="to agents",
        path="/api/agentflows/{my_flow_id}",
        json=FLOWS["all kinds"],
    ),
    Entry(f"DELETE {FLOW}", UNKNOWN, 204, path=AT_FLOW, says="agentflow {flow_id} was not found"),
]
CHATS = [
    Entry("GET /api/chats", OTHERS),
    Entry("POST /api/chats", MAKES, json={"session_id": "{new_id}", "title": "new"}),
    Entry(
        "POST /api/chats",
        TAKEN,
        400,
        "same session",
        "Chat with Session_id - '{session_id}' already exists",
        json={**SESSION, "title": "new"},
    ),
    Entry("GET /api/chat", EMPTY, query=SESSION),
    Entry(
        "PATCH /api/chat",
        UNKNOWN,
        says="Chat with session_id {session_id} does not exist",
        query=SESSION,
        json={"title": "new"},
    ),
    Entry(
        "DELETE /api/chat",
        UNKNOWN,
        204,
        says="Chat with session_id: '{session_id}' does not exist",
        query=SESSION,
    ),
    Entry(
        "POST /api/sessions/{session_id}/messages",
        TAKEN,
        202,
        says="This session belongs to another user.",
        json={"message": "{new}"},
    ),
    Entry(
        "GET /api/sessions/{session_id}/events",
        TAKEN,
        says="Chat with session_id {session_id} does not exist",
        query={"after": "0"},
    ),
    Entry("GET /api/logs/list", EMPTY, note="of a session", query=SESSION),
    Entry("GET /api/logs/list", EMPTY, note="of a request", query={"request_id": "{request_id}"}),
]
FOREIGN_SESSION = "This session belongs to another user."
NOT_ASKED = "Request with id '{request_id}' does not exist"
NOT_RUNNING = "Request with id '{running_id}' does not exist"
REQUESTS = [
    Entry("GET /api/requests", EMPTY, query=SESSION),
    Entry("GET /api/requests/{request_id}", UNKNOWN, says=NOT_ASKED),
    Entry(
        "POST /api/requests/{request_id}/cancel",
        UNKNOWN,
        says=NOT_RUNNING,
        path="/api/requests/{running_id}/cancel",
    ),
    Entry("GET /api/requests/{request_id}/answer", UNKNOWN, says=NOT_ASKED),
]
INVOKE, INVOKE_FLOW = "/api/agents/{agent_id}/invoke", f"{FLOW}/invoke"
NO_CALLEE = "There is no agent or flow with the id '{agent_id}'"
INVOCATIONS = [
    Entry(
        f"POST {INVOKE}",
        UNKNOWN,
        202,
        says=NO_CALLEE,
        refused=404,
        query={"wait": "0"},
        json={"arguments": {}},
    ),
    Entry(
        f"POST {INVOKE}",
        TAKEN,
        202,
        "in a session",
        FOREIGN_SESSION,
        path=INVOKE.replace("agent_id", "my_agent_id"),
        query={"wait": "0"},
        json={"arguments": {}, **SESSION},
    ),
    Entry(
        f"POST {INVOKE_FLOW}",
        UNKNOWN,
        400,
        says=NO_CALLEE.replace("agent_id", "flow_id"),
        refused=404,
        path=f"{AT_FLOW}/invoke",
        json={"message": "{new}"},
    ),
]


def _upload(note: str, says: str, **form: str) -> Entry:
    return Entry("POST /files", UNKNOWN, 201, note, says, file=True, form=form)


NO_SESSION = "Session with id {session_id} does not exist"
NO_REQUEST = "Request with id {request_id} does not exist"
NO_FILE = "File with id {file_id} does not exist"
FILES = [
    Entry("POST /files", MAKES, 201, file=True),
    _upload("into a session", NO_SESSION, session_id="{session_id}"),
    _upload("for a request", NO_REQUEST, request_id="{request_id}"),
    _upload("for both", NO_SESSION, session_id="{session_id}", request_id="{request_id}"),
    _upload("of my session", NO_REQUEST, session_id="{my_session_id}", request_id="{request_id}"),
    Entry("GET /files", EMPTY, query=SESSION),
    Entry("GET /files/{file_id}", UNKNOWN, says=NO_FILE),
    Entry("GET /files/{file_id}/metadata", UNKNOWN, says=NO_FILE),
    Entry("DELETE /files/{file_id}", UNKNOWN, 204, says=NO_FILE),
    Entry("GET /user/files/metadata", OTHERS),
]


def _llms(api: str) -> list[Entry]:
    at, line = f"{api}/model/config/{{config_id}}", f"{api}/model/config/{{model_config_id}}"
    provider = {"name": "{new}", "api_key": "sk", "metadata": {}}
    no_provider = "Provider named {marker} does not exist"
    no_config = "Config with id '{config_id}' was not found"
    return [
        Entry(f"POST {api}/model/provider", MAKES, json=provider),
        Entry(f"POST {api}/model/config", UNKNOWN, says=no_provider, json=CONFIG),
        Entry(f"POST {api}/model_config", UNKNOWN, says=no_provider, json=CONFIG),
        Entry(
            f"PATCH {api}/model/providers/{{provider_name}}",
            UNKNOWN,
            says="Provider named '{marker}' does not exist",
            path=f"{api}/model/providers/{{marker}}",
            json={"api_key": "{new}", "metadata": {}},
        ),
        Entry(f"GET {line}", UNKNOWN, says=no_config, path=at),
        Entry(f"PATCH {line}", UNKNOWN, says=no_config, path=at, json={"name": "{new}"}),
        Entry(f"PATCH {line}", SAME, 422, "to a provider", path=at, json={"provider": "{marker}"}),
        Entry(f"DELETE {line}", UNKNOWN, 204, says=no_config, path=at),
        Entry(f"GET {api}/model/configs", OTHERS),
        Entry(f"GET {api}/model/prompt", SAME),
    ]


def _servers(api: str, parameter: str, id_: str, url: str, unread: str) -> list[Entry]:
    line, at = f"{api}/{{{parameter}}}", f"{api}/{{{id_}}}"
    undeleted = f"MCP server with ID {{{id_}}} was not found"  # also of an A2A agent, as recorded
    return [
        Entry(f"POST {api}", MAKES, json={"server_url": url}),
        Entry(f"GET {api}", OTHERS),
        Entry(f"GET {line}", UNKNOWN, says=unread, path=at),
        Entry(f"DELETE {line}", UNKNOWN, 204, says=undeleted, path=at),
    ]


MCP, A2A = "/api/mcp/servers", "/api/a2a/agents"
CALLBACK = "/api/mcp/authorized"
NO_SERVER = "MCP server with id: {server_id} was not found"
NO_CARD = "A2A agent with id: '{card_id}' does not exist "
SERVERS = [
    *_servers(MCP, "server_id", "server_id", "{mcp_url}", NO_SERVER),
    Entry(
        f"PATCH {MCP}/{{server_id}}",
        UNKNOWN,
        own=400,  # nobody answers at its URL
        says=NO_SERVER,
        json={"bearer_token": "{new}"},
    ),
    *(
        Entry(
            f"{method} {MCP}/{{server_id}}/authorize",
            UNKNOWN,
            own=400,  # nobody could come back: it has no PUBLIC_URL
            says=NO_SERVER,
        )
        for method in ("GET", "POST")
    ),
    Entry(f"GET {CALLBACK}", SAME, 400, query={"state": "x", "code": "x"}),
    Entry(f"POST {CALLBACK}", SAME, 400, form={"state": "x", "code": "x", "username": "x"}),
    Entry("GET /api/mcp/client", SAME, 400),
    Entry(
        f"PATCH {A2A}/{{agent_id}}",
        UNKNOWN,
        own=400,
        says=NO_CARD,
        path=f"{A2A}/{{card_id}}",
        json={"bearer_token": "{new}"},
    ),
    *_servers(A2A, "agent_id", "card_id", "{a2a_url}", NO_CARD),
]
NO_MODEL = "The model '{marker}' does not exist, or is not connected"
HELLO = [{"role": "user", "content": "{new}"}]
ASKED = {"model": "{marker}", "messages": HELLO, "stream": True}
ASKED_TOO = {"model": "{marker}", "input": HELLO, "stream": True}
IN_SESSION = {"model": "{my_marker}", "metadata": SESSION}
COMPLETIONS = [
    Entry("GET /v1/models", OTHERS),
    Entry(
        "GET /v1/models/{model}",
        UNKNOWN,
        says=NO_MODEL.replace("marker", "config_id"),
        refused=404,
        path="/v1/models/{config_id}",
    ),
    *(
        entry
        for line, body in (("POST /v1/chat/completions", ASKED), ("POST /v1/responses", ASKED_TOO))
        for entry in (
            Entry(line, UNKNOWN, says=NO_MODEL, refused=404, json=body),
            Entry(line, TAKEN, 200, "in a session", FOREIGN_SESSION, json={**body, **IN_SESSION}),
        )
    ),
]
RUN = {
    "threadId": "{my_session_id}",
    "runId": "run",
    "messages": [{"id": "{new}", "role": "user", "content": "{new}"}],
}
AGUI = [
    Entry("POST /ag-ui", TAKEN, says=FOREIGN_SESSION, json={**RUN, "threadId": "{session_id}"}),
    Entry(
        "POST /ag-ui",
        UNKNOWN,
        note="of a model",
        says="There is no model config, agent or flow named '{marker}'",
        json={**RUN, "forwardedProps": {"model": "{marker}"}},
    ),
]
PUBLICATION, NOT_PUBLISHED = "/api/publications/{alias}", "You have published nothing as"
TO_PUBLISH = {"kind": "agent", "id": "{agent_id}"}
SAID = {"messageId": "{new}", "role": "ROLE_USER", "content": [{"text": "{new}"}]}
RPC = {
    "jsonrpc": "2.0",
    "id": "{new}",
    "method": "message/send",
    "params": {
        "message": {"messageId": "{new}", "role": "user", "parts": [{"kind": "text", "text": "a"}]},
        "configuration": {"blocking": False},
    },
}
NOT_YOURS = "Only the user who has published it may call it"


def _called(line: str, own: int = 200, **others: Any) -> Entry:
    return Entry(f"{line}", TAKEN, own, says=NOT_YOURS, refused=403, **others)


CALLED = "/a2a/{alias}/{operation}"
PUBLISHED = [
    Entry(
        "POST /api/publications",
        UNKNOWN,
        says="You have no agent with id '{agent_id}'",
        json=TO_PUBLISH,
    ),
    Entry(
        "POST /api/publications",
        TAKEN,
        400,
        "same alias",
        "The alias '{published}' is taken",
        json={"kind": "agent", "id": "{my_agent_id}", "alias": "{published}"},
    ),
    Entry("GET /api/publications", OTHERS),
    *(
        Entry(
            f"{method} {PUBLICATION}",
            UNKNOWN,
            own,
            says=f"{NOT_PUBLISHED} '{{published}}'",
            path="/api/publications/{published}",
        )
        for method, own in (("GET", 200), ("DELETE", 204))
    ),
    Entry("GET /a2a/jwks.json", SAME),
    *(
        Entry(f"GET /a2a/{{alias}}{path}", SAME, path=f"/a2a/{{published}}{path}")
        for path in ("/.well-known/agent-card.json", "/.well-known/agent.json")
    ),
    _called("POST /a2a/{alias}", path="/a2a/{published}", json=RPC),
    _called(f"GET {CALLED}", path="/a2a/{published}/v1/tasks/{request_id}"),
    _called(
        f"POST {CALLED}",
        path="/a2a/{published}/v1/message:send",
        json={"message": SAID, "configuration": {"blocking": False}},
    ),
    _called(f"DELETE {CALLED}", 400, path="/a2a/{published}/tasks/x/pushNotificationConfigs/y"),
]
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
PRIMED = {"mcp-protocol-version": "2025-11-25"}  # whose clients are told something at once
IN_THAT_SESSION = {"message": "{new}", "session_id": "{session_id}"}
OUR_MCP = [
    Entry(
        "POST /mcp",
        TAKEN,
        note="in a session",
        refused=200,
        json={**CALL, "params": {"name": "ask", "arguments": IN_THAT_SESSION}},
        headers=PRIMED,
    ),
    Entry(
        "POST /mcp",
        UNKNOWN,
        note="of an agent",
        refused=200,
        json={**CALL, "params": {"name": "{marker}_agent", "arguments": {}}},
        headers=PRIMED,
    ),
    Entry("GET /mcp", SAME, 400, headers={"last-event-id": "nothing"}),
    *(Entry(f"GET /.well-known/oauth-protected-resource{at}", SAME, 404) for at in ("", "/mcp")),
]
ENTRIES = [
    *ACCOUNTS,
    *AGENTS,
    *AGENTFLOWS,
    *CHATS,
    *REQUESTS,
    *INVOCATIONS,
    *FILES,
    *_llms("/api/llm"),
    *_llms("/api/llms"),
    *SERVERS,
    *COMPLETIONS,
    *AGUI,
    *PUBLISHED,
    *OUR_MCP,
]
OPERATIONS: dict[str, Operation] = {f"{each.method} {each.path}": each for each in operations}
