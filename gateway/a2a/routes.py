"""A2A agents: look up, list, read, change and delete."""

from typing import Any
from uuid import UUID

import attrs
from msgspec import UNSET

from gateway.a2a import queries
from gateway.a2a.addresses import find_places
from gateway.a2a.kind import A2A_AGENTS
from gateway.a2a.lookup import FoundCard
from gateway.a2a.schemas import (
    A2AAgent,
    A2AAgentChanges,
    A2AAgentId,
    A2AAgentPage,
    LookedUpA2AAgent,
    NewA2AAgent,
)
from gateway.a2a.storing import insert_agent, update_cards
from gateway.audit.acting import acting
from gateway.remote.credentials import Values
from gateway.remote.errors import RefusedUrlError, UnreachableError
from gateway.remote.kinds import Target
from gateway.remote.urls import read_url, slashed
from gateway.web.call import Call
from gateway.web.credentials import change_headers, readable, says_headers
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, patch, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.postgres.pool import connect

LOOKED_UP = attrs.fields_dict(LookedUpA2AAgent)


async def create_a2a_agent(call: Call[NewA2AAgent, Nothing]) -> LookedUpA2AAgent:
    """Look an A2A agent up by its card and store it, or refresh it."""
    new = call.body
    try:
        url = str(read_url(new.server_url))
    except RefusedUrlError as error:
        raise BadRequestError(str(error)) from None
    whose, stored = (None, {}) if new.headers is not UNSET else await _stored_headers(call, url)
    headers = change_headers(stored, new)
    found = await _look_up(call, url, headers)
    if stored and found.address != whose:  # they are for another agent of this host
        headers = change_headers({}, new)
        found = await _look_up(call, url, headers)
    async with (
        call.turn("create_a2a_agent"),
        acting(call) as connection,
        within(queries.AGENTS, call, connection),
    ):
        id_ = await insert_agent(connection, call.user_id, found)
        if says_headers(new):
            await queries.update_headers(
                connection, call.state["vault"], call.user_id, id_, headers
            )
        await update_cards(connection, [id_], found)
        agent = await queries.select_agent(connection, call.user_id, id_)
    assert agent is not None
    return LookedUpA2AAgent(**{name: getattr(agent, name) for name in LOOKED_UP})


async def _stored_headers(call: Call[Any, Any], url: str) -> tuple[str | None, dict[str, str]]:
    """What the agent at this address is sent, and its address: the card may be at its host."""
    addresses = [place.address for place in find_places(read_url(url))]
    with readable():
        async with connect(call.database) as connection:
            return await queries.select_headers_at(
                connection, call.state["vault"], call.user_id, addresses
            )


async def _look_up(
    call: Call[Any, Any], url: str, headers: Values, card_url: str | None = None
) -> FoundCard:
    try:
        async with call.state["turns"].lookups.turn(call.user_id):
            return await A2A_AGENTS.look_up(call.state["outbound"], url, card_url, headers)
    except UnreachableError as error:
        raise BadRequestError(
            f"Cannot retrieve data about a2a card on url: {slashed(url)}. {error.sentence}"
        ) from None


async def update_a2a_agent(call: Call[A2AAgentChanges, A2AAgentId]) -> A2AAgent:
    """Change what an A2A agent is sent with each call, once its card was found by that."""
    id_, owner, vault = call.parameters.agent_id, call.user_id, call.state["vault"]
    with readable():
        async with connect(call.database) as connection:
            agent = await queries.select_agent(connection, owner, id_)
            if agent is None:
                raise _unknown(id_)
            stored = await queries.select_headers(connection, vault, id_)
    headers = change_headers(stored, call.body)
    card_url = None if agent.card_url is UNSET else agent.card_url
    found = await _look_up(call, agent.server_url, headers, card_url)
    async with (
        call.turn("update_a2a_agent"),
        acting(call) as connection,
    ):
        ids = await queries.activate_agents(connection, Target(agent.server_url, id_))
        await queries.update_headers(connection, vault, owner, id_, headers)
        await update_cards(connection, ids, found)
        changed = await queries.select_agent(connection, owner, id_)
    if changed is None:
        raise _unknown(id_)
    return changed


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"A2A agent with id: '{id_}' does not exist ")


async def list_a2a_agents(call: Call[Nothing, A2AAgentPage]) -> Page[A2AAgent]:
    """List the user's A2A agents, or those that others share with him, newest first.

    Active or not.
    """
    return await call.read_page(
        lambda connection, part: queries.select_agents(
            connection, call.user_id, part, shared=call.parameters.shared
        )
    )


async def read_a2a_agent(call: Call[Nothing, A2AAgentId]) -> A2AAgent:
    """Read one of the user's A2A agents, or of those that others share with him."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
        agent = await queries.select_agent(connection, call.user_id, id_, with_shared=True)
    if agent is None:
        raise _unknown(id_)
    return agent


async def delete_a2a_agent(call: Call[Nothing, A2AAgentId]) -> None:
    """Delete one of the user's A2A agents."""
    id_ = call.parameters.agent_id
    async with acting(call) as connection:
        if not await queries.delete_agent(connection, call.user_id, id_):
            raise BadRequestError(f"MCP server with ID {id_} was not found")  # as the original


operations = [
    post(
        "/api/a2a/agents",
        create_a2a_agent,
        NewA2AAgent,
        LookedUpA2AAgent,
        names={"agent_id": "/id"},
        bounded=True,
        lends=False,
    ),
    listing("/api/a2a/agents", list_a2a_agents, A2AAgentPage, list[A2AAgent], fails=False),
    get("/api/a2a/agents/{agent_id}", read_a2a_agent, A2AAgentId, A2AAgent),
    patch(
        "/api/a2a/agents/{agent_id}",
        update_a2a_agent,
        A2AAgentChanges,
        A2AAgentId,
        A2AAgent,
        bounded=True,
        lends=False,
    ),
    delete("/api/a2a/agents/{agent_id}", delete_a2a_agent, A2AAgentId),
]
