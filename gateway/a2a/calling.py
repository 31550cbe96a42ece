"""Asks an A2A agent where its card has it called."""

from typing import TYPE_CHECKING

from attrs import field, frozen

from gateway.a2a.interfaces import JSONRPC, STATED_NO_VERSION, Interface
from gateway.a2a.loading import without_spans
from gateway.remote.credentials import Credentials
from gateway.remote.outbound import Outbound
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.a2a import speaking
else:
    speaking = Later("gateway.a2a.speaking", without_spans)

ANSWER_BYTES = 4 * 1024 * 1024  # of one question, however often it is looked whether it is answered


@frozen
class Asked:
    """An agent that is asked, and how."""

    url: str
    interfaces: list[Interface]
    headers: dict[str, str] = field(repr=False)


@frozen
class Answered:
    """What an agent answers."""

    texts: list[str]
    others: int
    """How many parts it has that are no texts."""
    state: str | None
    """Of its task, in the protocol's words; none, where it answers by a message alone."""


async def send_text(outbound: Outbound, agent: Asked, text: str, seconds: float) -> Answered:
    """Its answer to a text, when its task goes on no longer. Raises UnreachableError."""
    credentials = Credentials(agent.url, agent.headers) if agent.headers else None
    interfaces = agent.interfaces or [Interface(agent.url, JSONRPC, STATED_NO_VERSION)]
    async with outbound.visit(ANSWER_BYTES, credentials=credentials, most_seconds=seconds) as http:
        return await speaking.ask(http, interfaces, text, was_sent=credentials is not None)
