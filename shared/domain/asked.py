"""Agents and flows that are asked themselves: who of them can be, and with what."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import frozen

from shared.domain.agents import text_parameter
from shared.domain.flows import ASKED_MEMBERS_LIMIT

NOBODY = "The agent or flow that is asked does not exist"
TOOLS = "The flow can't be asked itself: only the master agent can call all of its members"
TOO_MANY = f"The flow can't be asked itself: it has more than {ASKED_MEMBERS_LIMIT} members"


class NotAskableError(Exception):
    """Who is asked can't be; the text says why."""


class AwayError(NotAskableError):
    """Who is asked can be when it is there."""


@frozen
class Member:
    """Who is asked: the agent, or a member of the flow."""

    type: str
    id: UUID | None
    """None: the agent is no more, or it is none."""
    alias: str | None
    is_active: bool | None
    input_parameters: dict[str, Any] | None
    """The schema, as it is stored."""


@frozen
class AskedAgent:
    """An agent that can be asked."""

    id: UUID
    alias: str
    parameter: str | None
    """What takes a text; None: it takes no text alone."""


def line_up(members: Sequence[Member], *, with_arguments: bool = False) -> list[AskedAgent]:
    """Who is asked, in order. Raises NotAskableError unless all can be.

    Each gets a text, but for the first one that gets arguments, whatever these are.
    """
    if not members:
        raise NotAskableError(NOBODY)
    if len(members) > ASKED_MEMBERS_LIMIT:
        raise NotAskableError(TOO_MANY)
    if any(member.type != "genai" for member in members):
        raise NotAskableError(TOOLS)
    agents = [_askable(member) for member in members]
    for agent in agents[1:] if with_arguments else agents:
        if agent.parameter is None:
            reason = "it takes no text alone"
            raise NotAskableError(f"The agent {agent.alias} can't be asked itself: {reason}")
    return agents


def _askable(member: Member) -> AskedAgent:
    if member.id is None or member.alias is None:
        raise NotAskableError("An agent of the flow does not exist any more")
    if not member.is_active:
        raise AwayError(away(member.alias))
    return AskedAgent(member.id, member.alias, text_parameter(member.input_parameters or {}))


def away(alias: str) -> str:
    """That an agent is not there."""
    return f"The agent {alias} is not connected, please try again later"
