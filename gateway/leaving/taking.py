"""How the things of an archive are made again: a line becomes a row, and rows are added at once.

All get new ids, each the same one wherever it is named: it follows from the old one and a number
that is this import's alone. So nothing has to be remembered, and what names something that was not
taken along names nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

import attrs
from attrs import field, frozen

from gateway.a2a.queries import AGENTS as MOST_CARDS
from gateway.agents.queries import AGENTS as MOST_AGENTS
from gateway.flows.queries import FLOWS as MOST_FLOWS
from gateway.leaving import kinds, statements
from gateway.leaving.kinds import Kind
from gateway.leaving.lines import (
    AgentLine,
    CardLine,
    ChatLine,
    ConfigLine,
    EntryLine,
    FlowLine,
    MessageLine,
    ProfileLine,
    ProviderLine,
    RequestLine,
    ServerLine,
)
from gateway.llms.queries import CONFIGS as MOST_CONFIGS
from gateway.llms.queries import PROVIDERS as MOST_PROVIDERS
from gateway.mcp.queries import SERVERS as MOST_SERVERS
from gateway.web.quotas import Quota
from shared.domain.agents import is_too_large, make_alias, make_tool_alias, normalise_name
from shared.tokens import issue_agent_token, without_signature

TOO_LARGE = "it is too large"
NOT_ENDED = "it had not ended"
OPEN = {"queued", "running"}

type Row = dict[str, Any]
type Reference = UUID | None


@frozen
class Import:
    """Whose it becomes, and what things are called from now on."""

    owner: UUID
    secret_key: str
    seals: bool
    """Whether tokens are stored without their signatures."""
    number: UUID = field(factory=uuid4)

    def id(self, old: UUID) -> UUID:
        """The new id."""
        return uuid5(self.number, old.bytes.hex())

    def maybe(self, old: Reference) -> Reference:
        """The same, where there is one."""
        return None if old is None else self.id(old)


@frozen
class Taking[Line]:
    """A kind that is made again."""

    kind: Kind
    line: type[Line]
    make: Callable[[Import, Line], Row | str]
    """The row, or why there is none."""
    insert: str
    """Adds `:rows` to what `:owner` has, and counts them."""
    not_added: str
    """Why a row was not."""
    quota: Quota | None = None


def _fields(line: Any, *, but: tuple[str, ...] = ()) -> Row:
    return {name: value for name, value in attrs.asdict(line).items() if name not in but}


def _profile(_: Import, line: ProfileLine) -> Row:
    return _fields(line)


def _named(of: Import, line: ProviderLine | ConfigLine) -> Row:
    return {**_fields(line), "id": of.id(line.id)}


def _agent(of: Import, line: AgentLine) -> Row | str:
    if is_too_large(line.agent_description, line.agent_schema):
        return TOO_LARGE
    id_, name = of.id(line.agent_id), normalise_name(line.agent_name)
    token = issue_agent_token(of.secret_key, id_, of.owner)
    return {
        "id": id_,
        "name": name,
        "alias": make_alias(name),
        "description": line.agent_description,
        "input_parameters": line.agent_schema,
        "jwt": without_signature(token) if of.seals else token,
        "created_at": line.created_at,
        "updated_at": line.updated_at,
    }


def _server(of: Import, line: ServerLine) -> Row:
    tools = [
        {**_fields(tool), "id": of.id(tool.id), "alias": make_tool_alias(tool.name)}
        for tool in line.mcp_tools
    ]
    return {**_fields(line, but=("mcp_tools",)), "id": of.id(line.id), "tools": tools}


def _card(of: Import, line: CardLine) -> Row:
    return {**_fields(line), "id": of.id(line.id), "alias": make_tool_alias(line.name)}


def _flow(of: Import, line: FlowLine) -> Row:
    name = normalise_name(line.name)
    return {
        **_fields(line),
        "id": of.id(line.id),
        "name": name,
        "alias": make_alias(name),
        "flow": [{"id": of.id(each.id), "type": each.type} for each in line.flow],
    }


def _chat(of: Import, line: ChatLine) -> Row:
    return {**_fields(line), "session_id": of.id(line.session_id)}


def _message(of: Import, line: MessageLine) -> Row:
    ids = {"id": of.id(line.id), "session_id": of.id(line.session_id)}
    return {**_fields(line), **ids, "request_id": of.maybe(line.request_id)}


def _request(of: Import, line: RequestLine) -> Row | str:
    if line.ended_at is None or line.status in OPEN:
        return NOT_ENDED
    ids = {"request_id": of.id(line.request_id), "session_id": of.id(line.session_id)}
    deadline = line.deadline or line.ended_at
    return {
        **_fields(line),
        **ids,
        "message_id": of.maybe(line.message_id),
        "deadline": deadline,
    }


def _entry(of: Import, line: EntryLine) -> Row:
    ids = {"request_id": of.id(line.request_id), "session_id": of.id(line.session_id)}
    return {**_fields(line), **ids, "agent_id": _agent_id(of, line.agent_id)}


def _agent_id(of: Import, text: str | None) -> str | None:
    """Log entries may name who is no agent of ours."""
    try:
        return text and str(of.id(UUID(text)))
    except ValueError:
        return text


TAKEN_NAME = "there is one of this name already"
NO_CHAT = "its chat is not there"
TAKINGS: list[Taking[Any]] = [
    Taking(kinds.PROFILE, ProfileLine, _profile, statements.PROFILE, "there is a name already"),
    Taking(kinds.PROVIDERS, ProviderLine, _named, statements.PROVIDERS, TAKEN_NAME, MOST_PROVIDERS),
    Taking(kinds.CONFIGS, ConfigLine, _named, statements.CONFIGS, TAKEN_NAME, MOST_CONFIGS),
    Taking(kinds.AGENTS, AgentLine, _agent, statements.AGENTS, TAKEN_NAME, MOST_AGENTS),
    Taking(
        kinds.SERVERS,
        ServerLine,
        _server,
        statements.SERVERS,
        "there is one at this URL already",
        MOST_SERVERS,
    ),
    Taking(
        kinds.CARDS,
        CardLine,
        _card,
        statements.CARDS,
        "there is one at this URL already",
        MOST_CARDS,
    ),
    Taking(
        kinds.FLOWS,
        FlowLine,
        _flow,
        statements.FLOWS,
        "some of its members are not there",
        MOST_FLOWS,
    ),
    Taking(kinds.CHATS, ChatLine, _chat, statements.CHATS, TAKEN_NAME),
    Taking(kinds.MESSAGES, MessageLine, _message, statements.MESSAGES, NO_CHAT),
    Taking(kinds.REQUESTS, RequestLine, _request, statements.REQUESTS, NO_CHAT),
    Taking(kinds.ENTRIES, EntryLine, _entry, statements.ENTRIES, NO_CHAT),
]
STAYS: Mapping[str, str] = {
    "publications": "an address is given by the installation: publish anew",
    "groups": "groups are of their installation",
    "shares": "groups are of their installation",
    "api_keys": "of a key only its hash is known, where it was made",
    "sign_ins": "they are of their installation",
    "identities": "log in by the provider, which links them anew",
    "usage": "it was paid for where it was used",
}
