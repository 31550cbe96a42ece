"""The matrix: how each operation is called for an object, and what it gives for another user's."""

from gateway.routes import operations
from gateway.web.operation import Operation
from tests.gateway.ownership.accounts import ACCOUNTS
from tests.gateway.ownership.asking import AGUI, COMPLETIONS, INVOCATIONS, OUR_MCP, PUBLISHED
from tests.gateway.ownership.objects import (
    AGENTFLOWS,
    AGENTS,
    CHATS,
    FILES,
    LLMS,
    REQUESTS,
    SERVERS,
)
from tests.gateway.ownership.sharing import SHARING

ENTRIES = [
    *ACCOUNTS,
    *AGENTS,
    *AGENTFLOWS,
    *CHATS,
    *REQUESTS,
    *INVOCATIONS,
    *FILES,
    *LLMS,
    *SERVERS,
    *COMPLETIONS,
    *AGUI,
    *PUBLISHED,
    *OUR_MCP,
    *SHARING,
]
OPERATIONS: dict[str, Operation] = {f"{each.method} {each.path}": each for each in operations}
