"""The table of contents: every operation and socket of the gateway."""

from gateway.a2a import routes as a2a
from gateway.accounts import routes as accounts
from gateway.agents import routes as agents
from gateway.agui import routes as agui
from gateway.chats import routes as chats
from gateway.completions import routes as completions
from gateway.completions.errors import OpenAIError
from gateway.files import routes as files
from gateway.flows import routes as flows
from gateway.grants import routes as grants
from gateway.identities import own as own_identities
from gateway.identities import routes as identities
from gateway.invocations import routes as invocations
from gateway.llms import routes as llms
from gateway.logs import routes as logs
from gateway.mcp import routes as mcp
from gateway.mcpserver import routes as mcpserver
from gateway.mcpserver.metadata import PATH as MCP_PATH
from gateway.mcpserver.schemas import RpcError
from gateway.published import routes as published
from gateway.published.cards import PREFIX as A2A_PREFIX
from gateway.published.errors import A2AError
from gateway.requests import routes as requests
from gateway.signins import routes as signins

operations = [
    *accounts.operations,
    *signins.operations,
    *identities.operations,
    *own_identities.operations,
    *agents.operations,
    *flows.operations,
    *invocations.operations,
    *chats.operations,
    *agui.operations,
    *requests.operations,
    *files.operations,
    *logs.operations,
    *llms.operations,
    *mcp.operations,
    *grants.operations,
    *a2a.operations,
    *completions.operations,
    *mcpserver.operations,
    *published.operations,
]
# The forms of errors below these paths.
forms = {completions.PREFIX: OpenAIError, MCP_PATH: RpcError, A2A_PREFIX: A2AError}
sockets = chats.sockets
