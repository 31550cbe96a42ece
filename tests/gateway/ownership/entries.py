"""The matrix: how each operation is called for an object, and what it gives for another user's.

`{…}` in a path, a query or a body stands for one of the belongings, `{new}` and `{new_id}` for
something new.
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
    """One way to call an operation; `own` is the status for the owner."""

    line: str
    foreign: Foreign
    own: int = 200
    note: str = ""
    path: str = ""
    query: Mapping[str, Any] = field(factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    file: bool = False

    def __str__(self) -> str:
        return f"{self.line} {self.note}".strip()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.line.split(" ")[0]

    def call(self, of: Belongings, **more: str) -> dict[str, Any]:
        """The arguments of a request about these belongings."""
        new = {"new": f"new{uuid4().hex}", "new_id": str(uuid4())}
        names = {**attrs.asdict(of), **new, **more}
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

ACCOUNTS = [
    Entry("POST /api/register", TAKEN, json=USER),
    Entry("POST /api/login/access-token", UNKNOWN, form=USER),
    Entry("POST /api/validate-token", SAME, json={"token": "{agent_token}"}),
    Entry("GET /api/profiles/{user_id}", UNKNOWN),
    Entry("PATCH /api/profiles/{user_id}", UNKNOWN, json={"first_name": "{new}"}),
]
AGENTS = [
    Entry("POST /api/agents/register", MAKES, json=AGENT),
    Entry("POST /api/agents/register", TAKEN, 400, "same id", json={**AGENT, "id": "{agent_id}"}),
    Entry("GET /api/agents", OTHERS),
    Entry("GET /api/agents", EMPTY, note="by name", query={"name": "{marker}"}),
    Entry("GET /api/agents/frontend", OTHERS),
    *(
        Entry("GET /api/agents/active", OTHERS, note=kind, query={"agent_type": kind})
        for kind in ("genai", "mcp", "a2a", "all")
    ),
    Entry("GET /api/agents/{agent_id}", UNKNOWN),
    Entry("PATCH /api/agents/{agent_id}", UNKNOWN, json=AGENT),
    Entry("DELETE /api/agents/{agent_id}", UNKNOWN, 204),
    *(
        Entry("POST /api/agentflows/register", UNKNOWN, note=f"of {kind}", json=flow)
        for kind, flow in FLOWS.items()
    ),
    Entry("GET /api/agentflows", OTHERS),
    Entry("GET /api/agentflows/{agentflow_id}", UNKNOWN, path="/api/agentflows/{flow_id}"),
    Entry(
        "PATCH /api/agentflows/{agentflow_id}",
        UNKNOWN,
        path="/api/agentflows/{flow_id}",
        json=FLOWS["all kinds"],
    ),
    Entry("DELETE /api/agentflows/{agentflow_id}", UNKNOWN, 204, path="/api/agentflows/{flow_id}"),
]
CHATS = [
    Entry("GET /api/chats", OTHERS),
    Entry("POST /api/chats", MAKES, json={"session_id": "{new_id}", "title": "new"}),
    Entry("POST /api/chats", TAKEN, 400, "same session", json={**SESSION, "title": "new"}),
    Entry("GET /api/chat", EMPTY, query=SESSION),
    Entry("PATCH /api/chat", UNKNOWN, query=SESSION, json={"title": "new"}),
    Entry("DELETE /api/chat", UNKNOWN, 204, query=SESSION),
    Entry("GET /api/logs/list", EMPTY, note="of a session", query=SESSION),
    Entry("GET /api/logs/list", EMPTY, note="of a request", query={"request_id": "{request_id}"}),
]
FILES = [
    Entry("POST /files", MAKES, 201, file=True),
    Entry("POST /files", UNKNOWN, 201, "into a session", file=True, form=SESSION),
    Entry(
        "POST /files", UNKNOWN, 201, "for a request", file=True, form={"request_id": "{request_id}"}
    ),
    Entry(
        "POST /files",
        UNKNOWN,
        201,
        "of an agent",
        file=True,
        form={**SESSION, "request_id": "{request_id}"},
    ),
    Entry("GET /files", EMPTY, query=SESSION),
    Entry("GET /files/{file_id}", UNKNOWN),
    Entry("GET /files/{file_id}/metadata", UNKNOWN),
    Entry("DELETE /files/{file_id}", UNKNOWN, 204),
    Entry("GET /user/files/metadata", OTHERS),
]


def _llms(api: str) -> list[Entry]:
    config = f"{api}/model/config/{{config_id}}"
    configs = f"{api}/model/config/{{model_config_id}}"
    provider = {"name": "{new}", "api_key": "sk", "metadata": {}}
    return [
        Entry(f"POST {api}/model/provider", MAKES, json=provider),
        Entry(f"POST {api}/model/config", UNKNOWN, json=CONFIG),
        Entry(f"POST {api}/model_config", UNKNOWN, json=CONFIG),
        Entry(
            f"PATCH {api}/model/providers/{{provider_name}}",
            UNKNOWN,
            path=f"{api}/model/providers/{{marker}}",
            json={"api_key": "{new}", "metadata": {}},
        ),
        Entry(f"GET {configs}", UNKNOWN, path=config),
        Entry(f"PATCH {configs}", UNKNOWN, path=config, json={"name": "{new}"}),
        Entry(
            f"PATCH {configs}",
            SAME,
            422,
            "to a provider",
            path=config,
            json={"provider": "{marker}"},
        ),
        Entry(f"DELETE {configs}", UNKNOWN, 204, path=config),
        Entry(f"GET {api}/model/configs", OTHERS),
        Entry(f"GET {api}/model/prompt", SAME),
    ]


def _servers(api: str, name: str, of: str, url: str) -> list[Entry]:
    one, at = f"{api}/{{{name}}}", f"{api}/{{{of}}}"
    return [
        Entry(f"POST {api}", MAKES, json={"server_url": url}),
        Entry(f"GET {api}", OTHERS),
        Entry(f"GET {one}", UNKNOWN, path=at),
        Entry(f"DELETE {one}", UNKNOWN, 204, path=at),
    ]


ENTRIES = [
    *ACCOUNTS,
    *AGENTS,
    *CHATS,
    *FILES,
    *_llms("/api/llm"),
    *_llms("/api/llms"),
    *_servers("/api/mcp/servers", "server_id", "server_id", "{mcp_url}"),
    *_servers("/api/a2a/agents", "agent_id", "card_id", "{a2a_url}"),
]
OPERATIONS: dict[str, Operation] = {f"{each.method} {each.path}": each for each in operations}
