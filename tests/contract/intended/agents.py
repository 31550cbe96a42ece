"""Agents, active connections and flows."""

import json
import re
from collections.abc import Callable
from typing import Any

from shared.domain.agents import NEEDS_FUNCTION_NAME
from tests.contract.binding import ANY_ID, ANY_TEXT, ANY_TIME, ANY_TOKEN, NOBODY
from tests.contract.cases import Case, load_cases
from tests.contract.differences import differ, edits, refuses, says, wherever
from tests.contract.intended.everywhere import DEAD_TOKEN, SLASHES

X = "0cb7ae8d-d5fd-4470-8b6b-15ce35cdabec"
THIRD = "28f096ab-682b-402c-8bff-9804353ab19b"

PARSED = "Section 5, 500 where it should be 4xx: `input_parameters` as a JSON string (parse it)"
NOT_ACTIVE = (
    "One or more agents were not registered previously or are not active: {}. Make sure agent was "
    "registered by you and is active before including it into the agent flow"
)
PARAMETERS = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "what to do", "default": "hello"},
        "n": {"type": "integer", "default": 1},
    },
    "required": [],
}
OWN_TOKEN = "Section 5, somebody gets what is not theirs: an agent is shown no token but its own"
ANY_DELETES = "Section 5: any user deletes any agent"
NOTHING_ACTIVE = {"count_active_connections": 0, "active_connections": []}
STRING_AGENT = {
    "agent_id": "0cd76f95-bce8-4589-b362-faf8eed657cb",
    "agent_name": "strparams",
    "agent_description": "d",
    "agent_schema": {"a": 1},
    "created_at": ANY_TIME,
    "updated_at": ANY_TIME,
    "is_active": False,
    "agent_jwt": ANY_TOKEN,
    "agent_alias": "strparams_ucckut",
}


def recorded_list() -> list[dict[str, Any]]:
    """The agents of A, before they are changed."""
    [case] = [case for case in load_cases("agents") if case.name.startswith("list: all")]
    agents: list[dict[str, Any]] = case.answer.body
    return agents


def as_shown_to(agent: str, agents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The agents as one of them sees them."""
    return [each if each["agent_id"] == agent else {**each, "agent_jwt": ""} for each in agents]


def after_patches(agents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The agents of A, after two of them were changed."""
    first, second, *others = agents
    first |= {"agent_name": "new_name", "agent_description": "new d", "agent_schema": {"k": "v"}}
    second |= {"agent_name": "second_b", "agent_description": "yy"}
    second["agent_schema"] = renamed(second["agent_schema"], "second_b")
    return [first, second, *others]


def renamed(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema with its function under another name."""
    return {**schema, "function": {**schema["function"], "name": name}}


AGENTS = [
    differ(SLASHES, says(200, []), "list: without trailing slash, with query"),
    differ(
        PARSED,
        edits(lambda body: {**body, "input_parameters": {"a": 1}}),
        "register: input_parameters as a string",
    ),
    differ(
        PARSED,
        says(200, [STRING_AGENT]),
        "list of a user who has an agent whose input_parameters is a string",
    ),
    differ(PARSED, says(200, STRING_AGENT), "get that agent"),
    differ(
        PARSED,
        refuses("'input_parameters' must be an object"),
        "patch: input_parameters string",
    ),
    differ(
        PARSED,
        says(200, after_patches(recorded_list())),
        "list: afterwards (one agent has a string as input_parameters)",
    ),
    differ(
        "Section 2: agents are listed oldest first",
        edits(lambda body: body[::-1]),
        "list: filter by description, case-insensitive substring, newest first",
    ),
    differ(
        "Section 2: `description`: contains",
        says(200, []),
        "list: filter by description with % wildcard",
    ),
    differ(
        "Section 2: `GET /frontend`: the list above (the original answers 422 here)",
        says(200, as_shown_to(X, recorded_list())),
        "get: /frontend (used by genai-protocol 2.0.3)",
    ),
    differ(
        OWN_TOKEN,
        edits(lambda body: as_shown_to(X, body)),
        "list: with an agent token",
    ),
    differ(
        OWN_TOKEN,
        edits(lambda body: {**body, "agent_jwt": ""}),
        "get: another agent of the same user by agent token",
    ),
    differ(
        "Section 2: in the list form, where `agent_schema.function.name` is the name",
        edits(lambda body: {**body, "agent_schema": renamed(body["agent_schema"], "second_b")}),
        "patch: with schema",
    ),
    differ(
        "Section 2: `agent_type` defaults to `all`",
        says(200, NOTHING_ACTIVE),
        "active: agent_type missing",
    ),
    differ(
        "Section 1: unknown object: 400 with a detail that names the id",
        refuses(f"User '{NOBODY}' does not exist"),
        "active: user_id unknown",
    ),
    differ(
        ANY_DELETES,
        refuses(f"Agent {THIRD} was not found"),
        "delete: other user's agent is deleted (defect)",
    ),
    differ(ANY_DELETES, says(200, recorded_list()[2]), "... the owner no longer has it"),
    differ(
        "Section 5: tokens of deleted agents still work",
        DEAD_TOKEN,
        "token of a deleted agent still works",
    ),
    differ(
        SLASHES,
        says(
            200,
            {
                "id": ANY_ID,
                "name": "t",
                "description": "d",
                "input_parameters": {},
                "created_at": ANY_TIME,
                "updated_at": ANY_TIME,
                "alias": ANY_TEXT,
                "jwt": ANY_TOKEN,
            },
        ),
        "register: trailing slash",
    ),
    differ(SLASHES, refuses(f"Agent '{X}' does not exist"), "patch: trailing slash"),
    differ(SLASHES, says(204, None), "delete: trailing slash"),
]

OF_TOOLS = "Section 2: `mcp`: `name` = tool alias; every connection has `is_active`"


def as_tools(body: Any) -> Any:
    """The connections, each tool under its alias."""
    tools = [
        {**one, "name": one["agent_schema"]["title"], "is_active": True}
        for one in body["active_connections"]
    ]
    return {"count_active_connections": len(tools), "active_connections": tools}


def _normal_alias(body: Any) -> Any:
    text = json.dumps(body).replace("renamed by the agent_", "renamed_by_the_agent_")
    return json.loads(text)


def _with_twice(body: Any) -> Any:
    """The flow of one agent twice, in its place; the first member gives title, not name."""
    connections = [_titled(one) for one in body["active_connections"]]
    if any(one["name"].startswith("a2a_flow") for one in connections) and len(connections) > 6:
        place = [one["name"][:8] for one in connections].index("a2a_flow") + 1
        connections.insert(place, TWICE)
    return {"count_active_connections": len(connections), "active_connections": connections}


def _titled(one: Any) -> Any:
    schema = one["agent_schema"]
    if "name" not in schema:
        return one
    titled = {key: value for key, value in schema.items() if key != "name"}
    return {**one, "agent_schema": {**titled, "title": schema["name"]}}


TWICE = {
    "id": "214f3abe-4a08-49e5-9d76-c9fafef8cec1",
    "name": "twice_ozwugy",
    "type": "flow",
    "agent_schema": {
        "type": "function",
        "function": {
            "name": "twice_ozwugy",
            "description": "t",
            "parameters": PARAMETERS,
        },
    },
    "flow": ["38b0f46f-65c4-415c-947a-b89739cf24aa"] * 2,
    "created_at": ANY_TIME,
    "updated_at": ANY_TIME,
    "is_active": True,
}


def body_changes(change: Callable[[Any], Any], *types: str) -> Callable[[Case], bool]:
    """Whether a change makes a difference to a case's active connections of these types."""

    def applies(case: Case) -> bool:
        body, asked = case.answer.body, (case.call.query or {}).get("agent_type")
        if not isinstance(body, dict) or "active_connections" not in body or asked not in types:
            return False
        return bool(change(body) != body)

    return applies


def with_additions(body: Any) -> Any:
    """What stands with A2A agents and MCP tools, and with those among connections."""
    if isinstance(body, list):
        return [with_additions(one) for one in body]
    if not isinstance(body, dict):
        return body
    parts = {key: with_additions(body[key]) for key in ADDED_WITHIN if key in body}
    return {**body, **parts, **_additions(body)}


def _additions(one: Any) -> Any:
    if "card_content" in one:
        return {"card_url": ANY_TEXT, "interfaces": INTERFACES}
    if one.get("type") == "a2a":
        is_alias = re.search("_[a-z]{6}$", one["name"])
        return {"interfaces": INTERFACES, **({} if is_alias else {"function_name": ANY_TEXT})}
    is_odd = " " in one.get("alias", one.get("name") or "")
    return {"function_name": ANY_TEXT, "newer_only": NEEDS_FUNCTION_NAME} if is_odd else {}


def tells_strangers(case: Case) -> bool:
    """Whether something is added to its answer."""
    return bool(with_additions(case.answer.body) != case.answer.body)


ADDED_WITHIN = ("active_connections", "mcp_tools")
INTERFACES = [{"url": ANY_TEXT, "protocolBinding": "JSONRPC", "protocolVersion": "0.3.0"}]
ADDED = wherever(
    "Where an A2A agent is called, and a name that model providers take, are additions",
    tells_strangers,
    edits(with_additions),
)

FLOWS = [
    wherever(OF_TOOLS, body_changes(as_tools, "mcp"), edits(as_tools)),
    wherever(
        "Section 5: an agent's name with blanks gets a broken alias: normalise",
        lambda case: "renamed by the agent_" in json.dumps(case.answer.body),
        edits(_normal_alias),
    ),
    wherever(
        "Section 5: a flow with one agent twice is never listed; section 2: a flow's schema is "
        "that of its first member under the flow's alias",
        body_changes(_with_twice, "genai", "all"),
        edits(_with_twice),
    ),
    differ(
        "Section 2: a member id that is no UUID or none 400",
        refuses(NOT_ACTIVE.format("[None]")),
        "register: id null",
        "patch: id null",
    ),
    differ(
        SLASHES,
        refuses(NOT_ACTIVE.format("['38b0f46f-65c4-415c-947a-b89739cf24aa']")),
        "register: trailing slash",
        "patch: trailing slash",
    ),
    differ(SLASHES, says(204, None), "delete: trailing slash"),
    ADDED,
]
