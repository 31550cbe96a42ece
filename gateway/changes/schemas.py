"""What pages are told that has changed."""

from typing import Literal

from attrs import frozen

type Topic = Literal["agents", "flows", "servers", "chats", "requests"]


@frozen(slots=False)
class Changed:
    """Of which kinds something is new, other or gone. Servers are MCP servers and A2A agents."""

    changed: list[Topic]
