"""The matrix of what is asked, at each of the doors at which agents and the master agent are."""

from typing import Any

from tests.gateway.ownership.entry import OTHERS, SAME, TAKEN, UNKNOWN, Entry
from tests.gateway.ownership.objects import AT_FLOW, FLOW, FOREIGN_SESSION, SESSION

INVOKE, INVOKE_FLOW = "/api/agents/{agent_id}/invoke", f"{FLOW}/invoke"
NO_CALLEE = "There is no agent or flow with the id '{agent_id}'"
INVOCATIONS = [
    Entry(
        f"POST {INVOKE}",
        UNKNOWN,
        202,
        says=NO_CALLEE,
        refused=404,
        for_member=202,
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
        for_member=400,
        path=f"{AT_FLOW}/invoke",
        json={"message": "{new}"},
    ),
    Entry(
        "POST /api/mcp/servers/{server_id}/tools/{tool_id}/call",
        UNKNOWN,
        502,
        says="There is no tool with the id '{tool_id}' at that server",
        refused=404,
        for_member=502,
        json={"arguments": {}},
    ),
    Entry(
        "POST /api/a2a/agents/{agent_id}/send",
        UNKNOWN,
        502,
        says="There is no A2A agent with the id '{card_id}'",
        refused=404,
        for_member=502,
        path="/api/a2a/agents/{card_id}/send",
        json={"text": "{new}"},
    ),
]
NO_MODEL = "The model '{marker}' does not exist, or is not connected"
HELLO = [{"role": "user", "content": "{new}"}]
ASKED = {"model": "{marker}", "messages": HELLO, "stream": True}
ASKED_TOO = {"model": "{marker}", "input": HELLO, "stream": True}
IN_SESSION = {"model": "{my_marker}", "metadata": SESSION}
COMPLETIONS = [
    Entry("GET /v1/models", OTHERS, for_member=200),
    Entry(
        "GET /v1/models/{model}",
        UNKNOWN,
        says=NO_MODEL.replace("marker", "config_id"),
        refused=404,
        for_member=200,
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
        for_member=200,
        json={**CALL, "params": {"name": "{marker}_agent", "arguments": {}}},
        headers=PRIMED,
    ),
    Entry("GET /mcp", SAME, 400, headers={"last-event-id": "nothing"}),
    *(Entry(f"GET /.well-known/oauth-protected-resource{at}", SAME, 404) for at in ("", "/mcp")),
]
