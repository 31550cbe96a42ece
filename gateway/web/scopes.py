"""What an API key may be for, and which of it opens an operation."""

from collections.abc import Collection
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may be for; sign-ins may all that their user may."""

    CHAT = "chat"
    READ = "read"
    AGENTS = "agents"
    ADMIN = "admin"


type Scopes = Collection[Scope]
"""Each of them opens an operation, in this order; none: no key does."""

NO_KEY: Scopes = ()
READING: Scopes = (Scope.READ,)
CHATTING: Scopes = (Scope.CHAT,)
CHATS: Scopes = (Scope.CHAT, Scope.READ)  # what somebody who chats has to read too
MANAGING: Scopes = (Scope.AGENTS,)
ADMINISTERING: Scopes = (Scope.ADMIN,)  # where the key's user is an administrator
MANAGED: Scopes = (Scope.READ, Scope.AGENTS)  # what somebody who manages has to read too


def default_scopes(method: str) -> Scopes:
    """Where nobody has said anything: what reads is read by keys, the rest is for users."""
    return READING if method == "GET" else NO_KEY
