"""A2A agents: look up, list, read and delete."""

import attrs

from gateway.a2a import queries
from gateway.a2a.kind import A2A_AGENTS
from gateway.a2a.schemas import A2AAgent, A2AAgentId, A2AAgentPage, LookedUpA2AAgent, NewA2AAgent
from gateway.a2a.storing import insert_agent, update_cards
from gateway.remote.errors import RefusedUrlError, UnreachableError
from gateway.remote.urls import read_url, slashed
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, delete, get, listing, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.postgres.pool import connect

LOOKED_UP = attrs.fields_dict(LookedUpA2AAgent)


async def create_a2a_agent(call: Call[NewA2AAgent, Nothing]) -> LookedUpA2AAgent:
    """Look an A2A agent up by its card and store it, or refresh it."""
    try:
        url = str(read_url(call.body.server_url))
        async with call.state["turns"].lookups.turn(call.user_id):
            found = await A2A_AGENTS.look_up(call.state["outbound"], url)
    except RefusedUrlError as error:
        raise BadRequestError(str(error)) from None
    except UnreachableError as error:
        raise BadRequestError(
            f"Cannot retrieve data about a2a card on url: {slashed(url)}. {error.sentence}"
        ) from None
    async with (
        call.turn("create_a2a_agent"),
        connect(call.database) as connection,
        within(queries.AGENTS, call, connection),
    ):
        id_ = await insert_agent(connection, call.user_id, found)
        await update_cards(connection, [id_], found)
        agent = await queries.select_agent(connection, call.user_id, id_)
    assert agent is not None
    return LookedUpA2AAgent(**{name: getattr(agent, name) for name in LOOKED_UP})


async def list_a2a_agents(call: Call[Nothing, A2AAgentPage]) -> Page[A2AAgent]:
    """List the user's A2A agents, active or not, newest first."""
    return await call.read_page(
        lambda connection, part: queries.select_agents(connection, call.user_id, part)
    )


async def read_a2a_agent(call: Call[Nothing, A2AAgentId]) -> A2AAgent:
    """Read one of the user's A2A agents."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
        agent = await queries.select_agent(connection, call.user_id, id_)
    if agent is None:
        raise BadRequestError(f"A2A agent with id: '{id_}' does not exist ")
    return agent


async def delete_a2a_agent(call: Call[Nothing, A2AAgentId]) -> None:
    """Delete one of the user's A2A agents."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
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
    delete("/api/a2a/agents/{agent_id}", delete_a2a_agent, A2AAgentId),
]
