"""The matrix of what users have: agents, chats, files, model configs and servers."""

from tests.gateway.ownership.entry import EMPTY, MAKES, OTHERS, SAME, TAKEN, UNKNOWN, Entry

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
    Entry("GET /api/agents/{agent_id}", UNKNOWN, says=NO_AGENT, for_member=200),
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
    Entry(
        f"GET {FLOW}",
        UNKNOWN,
        path=AT_FLOW,
        says="Flow with id '{flow_id}' does not exist",
        for_member=200,
    ),
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
    Entry("GET /api/chats/search", EMPTY, query={"query": "{marker}"}),
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
    Entry("GET /api/changes", SAME),
    Entry(
        "GET /api/chats/{session_id}/export",
        UNKNOWN,
        says="Chat with session_id {session_id} does not exist",
    ),
    Entry("GET /api/logs/list", EMPTY, note="of a session", query=SESSION),
    Entry("GET /api/logs/list", EMPTY, note="of a request", query={"request_id": "{request_id}"}),
]
FOREIGN_SESSION = "This session belongs to another user."
NOT_ASKED = "Request with id '{request_id}' does not exist"
NOT_RUNNING = "Request with id '{running_id}' does not exist"
REQUESTS = [
    Entry("GET /api/requests", EMPTY, note="of a session", query=SESSION),
    Entry("GET /api/requests", EMPTY, note="of an agent", query={"agent_id": "{agent_id}"}),
    Entry("GET /api/requests/{request_id}", UNKNOWN, says=NOT_ASKED),
    Entry(
        "POST /api/requests/{request_id}/cancel",
        UNKNOWN,
        says=NOT_RUNNING,
        path="/api/requests/{running_id}/cancel",
    ),
    Entry("GET /api/requests/{request_id}/answer", UNKNOWN, says=NOT_ASKED),
    Entry("GET /api/me", OTHERS),
    Entry("GET /api/usage", OTHERS),
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
        Entry(f"GET {line}", UNKNOWN, says=no_config, path=at, for_member=200),
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
        Entry(f"GET {line}", UNKNOWN, says=unread, path=at, for_member=200),
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

LLMS = [
    *_llms("/api/llm"),
    *_llms("/api/llms"),
    Entry(
        "POST /api/llm/model/config/{model_config_id}/try",
        UNKNOWN,
        says="Config with id '{config_id}' was not found",
        path="/api/llm/model/config/{config_id}/try",
        changes=False,
    ),
]
