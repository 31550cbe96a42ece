"""What requests are sent with, read by the statement that marks them as sent."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from agent_bridge.requests.master import CallableAgent, Form
from shared.domain.agents import callable_schema, described
from shared.domain.asked import Member


@frozen
class ChosenConfig:
    """A model config with its provider; the key and what both have as options, as stored."""

    provider_id: UUID
    provider: str
    api_key: str | None = field(repr=False)
    provider_metadata: object = field(repr=False)
    config_id: UUID
    credentials: object = field(repr=False)
    config_name: str
    model: str
    temperature: float
    system_prompt: str
    user_prompt: str | None
    max_last_messages: int


@frozen
class Marked:
    """What the master agent is sent; it may be sent only if the claim `is_held`."""

    is_held: bool
    config: ChosenConfig
    agents: list[CallableAgent]
    """The connected agents that the owner may use, under their aliases."""
    form: Form | None
    """The form that the master agent answered last."""
    timestamp: int
    """When it was marked: POSIX seconds, by the database's clock."""


@define
class Asked:
    """Who is asked, in order; they may be only if the claim `is_held`.

    Of a flow with more than ASKED_MEMBERS_LIMIT members one more. Nobody: the owner may use no
    such agent nor flow.
    """

    is_held: bool = False
    members: list[Member] = field(factory=list)


def callable_agent(row: Mapping[str, Any]) -> CallableAgent:
    """An agent as the master agent is told of it."""
    alias, description = row["alias"], described(row["description"])
    return CallableAgent(
        agent_id=UUID(row["id"]),
        agent_name=alias,
        agent_description=description,
        agent_schema=callable_schema(row["input_parameters"], alias, description),
    )
