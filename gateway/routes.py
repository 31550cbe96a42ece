"""The table of contents: every operation and socket of the gateway."""

from gateway.a2a import routes as a2a
from gateway.accounts import changing, confirming, emails
from gateway.accounts import routes as accounts
from gateway.agents import routes as agents
from gateway.agui import routes as agui
from gateway.audit import routes as audit
from gateway.changes import routes as changes
from gateway.chats import routes as chats
from gateway.completions import routes as completions
from gateway.completions.errors import OpenAIError
from gateway.files import routes as files
from gateway.flows import routes as flows
from gateway.grants import routes as grants
from gateway.groups import routes as groups
from gateway.identities import own as own_identities
from gateway.identities import proving
from gateway.identities import routes as identities
from gateway.invocations import routes as invocations
from gateway.invocations import tool_routes as tools
from gateway.keys import routes as keys
from gateway.leaving import chat_export
from gateway.leaving import export_routes as exporting
from gateway.leaving import import_routes as importing
from gateway.leaving import routes as leaving
from gateway.llms import routes as llms
from gateway.logs import routes as logs
from gateway.mcp import routes as mcp
from gateway.mcpserver import routes as mcpserver
from gateway.mcpserver.metadata import PATH as MCP_PATH
from gateway.mcpserver.schemas import RpcError
from gateway.parts import routes as parts
from gateway.published import routes as published
from gateway.published.addresses import PREFIX as A2A_PREFIX
from gateway.published.errors import A2AError
from gateway.requests import routes as requests
from gateway.signins import routes as signins
from gateway.usage import routes as usage
from gateway.users import access_routes, work_routes
from gateway.users import routes as users
from gateway.web.lines import for_keys
from gateway.web.scopes import ADMINISTERING, CHATS, CHATTING, MANAGED, MANAGING, NO_KEY, READING

_of_users = [*accounts.operations, *users.own_operations, *usage.operations]
_of_people = [
    *changing.operations,
    *confirming.operations,
    *emails.operations,
    *signins.operations,
    *identities.operations,
    *own_identities.operations,
    *proving.operations,
    *keys.operations,
    *grants.operations,
    *leaving.operations,
    *exporting.operations,
    *importing.operations,
]
_of_owners = [
    *agents.operations,
    *flows.operations,
    *llms.operations,
    *mcp.operations,
    *a2a.operations,
    *published.operations,
    *groups.operations,
]
_of_chats = [
    *invocations.operations,
    *tools.operations,
    *chats.operations,
    *changes.operations,
    *chat_export.operations,
    *agui.operations,
    *requests.operations,
    *files.operations,
    *logs.operations,
    *completions.operations,
]
_of_administrators = [
    *users.operations,
    *access_routes.operations,
    *work_routes.operations,
    *audit.operations,
    *parts.operations,
]
# By what an API key must be for, but for lines that say that themselves.
operations = [
    *for_keys(_of_users, reads=READING, writes=NO_KEY),
    *for_keys(_of_people, reads=NO_KEY, writes=NO_KEY),
    *for_keys(_of_administrators, reads=ADMINISTERING, writes=ADMINISTERING),
    *for_keys(_of_owners, reads=MANAGED, writes=MANAGING),
    *for_keys(_of_chats, reads=CHATS, writes=CHATTING),
    *for_keys(mcpserver.operations, reads=CHATTING, writes=CHATTING),
]
# The forms of errors below these paths.
forms = {completions.PREFIX: OpenAIError, MCP_PATH: RpcError, A2A_PREFIX: A2AError}
sockets = chats.sockets
