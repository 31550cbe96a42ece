"""MCP servers and A2A agents."""

from typing import Any

from tests.contract.binding import ANY_ID, ANY_TEXT, ANY_TIME
from tests.contract.cases import Case, load_cases
from tests.contract.differences import Change, differ, edits, refuses, says, wherever
from tests.contract.intended.agents import ADDED, OF_TOOLS, as_tools, body_changes, with_additions
from tests.contract.intended.everywhere import FORMS, SLASHES

NO_URL = refuses("The URL must begin with http:// or https:// and name a host")
BAD_CARD = "Section 5, 500 where it should be 4xx: A2A servers that answer nonsense"
BAD_CARD_URL = "Cannot retrieve data about a2a card on url: http://127.0.0.1:{}/. {}"
NO_CARD = "Its card is not one of an A2A agent: "
WHY = "Section 2: not reachable: 400 that says so, with the cause where it is known"
REFUSED = "The connection to it fails (Connection refused)"
NOWHERE = f"Its host nobody.invalid can't be found ({ANY_TEXT})"
REFRESH = "Section 5: the background refresh breaks A2A cards (stored twice over)"
LIMITED = "Section 5: limits mean something else for each type; section 2: over the connections"
INACTIVE_TOO = "Section 2: `GET` (all of them, active or not)"
MCP_SERVER = "ee56ebf5-7607-4fbf-824d-89f0de051a51"
A2A_AGENT = "80baab60-944d-4169-8f42-3f89c7d39707"
APART = {"name", "description", "url"}
SLASHED = "get: trailing slash"  # which the original redirects


def recorded(area: str, name: str) -> Any:
    """The body of another case."""
    [case] = [case for case in load_cases(area) if case.name == name]
    return case.answer.body


def was_added(case: Case) -> bool:
    """Whether a server was looked up and stored."""
    return case.name.startswith("add") and case.answer.status == 200


def in_order_of_tools(body: Any) -> Any:
    """Tools of one server come in one transaction: between them any order is newest first."""
    place = {"test_tool": 0, "add numbers": 1, "no_args": 2}
    tools = sorted(body["active_connections"], key=lambda one: place[one["name"][:-7]])
    by_server = sorted(tools, key=lambda one: one["created_at"], reverse=True)
    return {**body, "active_connections": by_server}


def first_only(body: Any) -> Any:
    """The first connection."""
    return {"count_active_connections": 1, "active_connections": body["active_connections"][:1]}


def inactive(servers: Any) -> Any:
    """The same servers, unreachable."""
    return [{**server, "is_active": False} for server in servers]


def plain_card(card: Any) -> Any:
    """The card's content as it was stored at first."""
    return recorded("a2a", "get: own")["card_content"] if APART & card.keys() else card


def plain_cards(body: Any) -> Any:
    """The agents with their cards as they were stored at first."""
    if isinstance(body, list):
        return [plain_cards(one) for one in body]
    return {**body, "card_content": plain_card(body["card_content"])}


def because(cause: str) -> Change:
    """The recorded sentence with the cause in the place of a guess."""

    def tell(body: Any) -> Any:
        beginning, *_ = body["detail"].split(". Make sure")
        return {"detail": f"{beginning}. {cause}"}

    return edits(tell)


def has_broken_card(case: Case) -> bool:
    """Whether the recorded card holds what is stored beside it."""
    return '"card_content": {"name"' in str(case.answer.body).replace("'", '"')


def with_info(body: Any) -> Any:
    """The servers with what they say of themselves."""
    if isinstance(body, list):
        return [with_info(one) for one in body]
    return {**body, "server_info": {"name": "tools", "protocolVersion": ANY_TEXT}}


def tells_servers(case: Case) -> bool:
    """Whether its answer has servers that were looked up."""
    body = case.answer.body
    one = body[0] if isinstance(body, list) and body else body
    is_one = isinstance(one, dict) and "mcp_tools" in one
    return is_one or case.name == SLASHED


SAID_OF_ITSELF = wherever(
    "What a server says of itself is an addition", tells_servers, edits(with_info)
)

ADDED_TO_SLASHED = differ(ADDED.because, edits(with_additions), SLASHED)


MCP = [
    wherever(OF_TOOLS, body_changes(as_tools, "mcp"), edits(as_tools)),
    wherever(
        "Section 2: `POST` answers as recorded plus `id`",
        was_added,
        edits(lambda body: {**body, "id": ANY_ID}),
    ),
    differ(FORMS, NO_URL, "add: no URL", "add: empty", "add: ftp scheme"),
    differ(WHY, because(REFUSED), "add: nothing listens"),
    differ(WHY, because("It answers 404 Not Found"), "add: path missing (404)", "add: 404"),
    differ(WHY, because(f"It answers 4{ANY_TEXT}"), "add: 405"),
    differ(WHY, because(NOWHERE), "add: name does not resolve"),
    differ(WHY, because("It answers 503 Service Unavailable"), "add: dead server again"),
    differ(
        "Section 2: newest first over all kinds; what was made at once has no order there",
        edits(in_order_of_tools),
        "active agents: all",
    ),
    differ(LIMITED, edits(first_only), "active agents: mcp limit=1 (limits servers, not tools)"),
    differ(
        INACTIVE_TOO,
        says(
            200,
            inactive(with_additions(with_info(recorded("mcp", "list: two servers, oldest first")))),
        ),
        "list: after the server died and a refresh",
    ),
    differ(
        SLASHES,
        says(
            200,
            {
                **with_info(recorded("mcp", "add: same server under another URL")),
                "id": ANY_ID,
                "created_at": ANY_TIME,
            },
        ),
        "add: trailing slash on the endpoint",
    ),
    differ(
        SLASHES,
        refuses(f"MCP server with ID {MCP_SERVER} was not found"),
        "delete: trailing slash",
    ),
    SAID_OF_ITSELF,
    ADDED,
    ADDED_TO_SLASHED,
]

A2A = [
    differ(FORMS, NO_URL, "add: no URL", "add: empty", "add: ftp scheme"),
    differ(WHY, because(REFUSED), "add: nothing listens"),
    differ(WHY, because(NOWHERE), "add: name does not resolve"),
    differ(WHY, because("It answers 503 Service Unavailable"), "add: dead server"),
    differ(BAD_CARD, refuses(BAD_CARD_URL.format(10003, "It answers 404 Not Found")), "add: 404"),
    differ(
        BAD_CARD,
        refuses(BAD_CARD_URL.format(10004, f"{NO_CARD}0: Invalid JSON: {ANY_TEXT}")),
        "add: html answer",
    ),
    differ(
        'Section 1: error body: `{"detail": "<one sentence>"}`',
        refuses(BAD_CARD_URL.format(10005, f"{NO_CARD}it says too little of an agent")),
        "add: incomplete card",
    ),
    differ(
        "Section 1: lists take `limit`",
        edits(lambda body: body[:1]),
        "list: limit is not a parameter here",
    ),
    wherever(REFRESH, has_broken_card, edits(plain_cards)),
    differ(
        REFRESH,
        says(200, with_additions(recorded("a2a", "active agents: a2a"))),
        "active agents: a2a, after a refresh",
    ),
    differ(
        SLASHES,
        says(200, with_additions(recorded("a2a", "add: other name of the same host"))),
        "add: trailing slash on the endpoint",
    ),
    differ(
        SLASHES,
        refuses(f"MCP server with ID {A2A_AGENT} was not found"),
        "delete: trailing slash",
    ),
    ADDED,
    ADDED_TO_SLASHED,
]
