"""Registering and reading agents."""

from uuid import UUID, uuid4

from gateway.agents import queries
from gateway.agents.active import select_active_connections
from gateway.agents.schemas import (
    ActiveConnections,
    ActiveSelection,
    Agent,
    AgentId,
    AgentSelection,
    NewAgent,
    RegisteredAgent,
)
from gateway.web.auth import Access
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, get, post
from shared.agents import make_alias, normalise_name
from shared.database import connect
from shared.tokens import issue_agent_token


async def create_agent(call: Call[NewAgent, Nothing]) -> RegisteredAgent:
    """Register an agent and issue its token."""
    new = call.body
    id_ = uuid4() if new.id == "" else _wanted_id(new.id)
    name = normalise_name(new.name)
    async with connect(call.database) as connection:
        agent = await queries.insert_agent(
            connection,
            id_,
            call.user_id,
            name,
            make_alias(name),
            new.description,
            new.input_parameters,
            issue_agent_token(call.state["settings"].secret_key, id_, call.user_id),
        )
    if agent is None:
        raise BadRequestError(f"Agent with {id_} already exists")
    return agent


def _wanted_id(text: str | None) -> UUID:
    if text is None:
        raise BadRequestError("Parameter 'id' must not be a null")
    try:
        return UUID(text)
    except ValueError:
        raise BadRequestError("Parameter 'id' must be a valid uuid") from None


async def list_agents(call: Call[Nothing, AgentSelection]) -> list[Agent]:
    """List the user's agents that have a name and a description, oldest first."""
    async with connect(call.database) as connection:
        return await queries.select_agents(connection, call.user_id, call.parameters)


async def list_active_connections(call: Call[Nothing, ActiveSelection]) -> ActiveConnections:
    """List what the master agent may call for this user."""
    async with connect(call.database) as connection:
        return await select_active_connections(connection, call.user_id, call.parameters)


async def read_agent(call: Call[Nothing, AgentId]) -> Agent:
    """Read one of the user's agents."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
        agent = await queries.select_agent(connection, call.user_id, id_)
    if agent is None:
        raise BadRequestError(f"Agent '{id_}' does not exist")
    return agent


operations = [
    post("/api/agents/register", create_agent, NewAgent, RegisteredAgent),
    get(
        "/api/agents",
        list_agents,
        AgentSelection,
        list[Agent],
        access=Access.USER_OR_AGENT,
        fails=False,
    ),
    get(
        "/api/agents/active",
        list_active_connections,
        ActiveSelection,
        ActiveConnections,
        access=Access.USER_AGENT_OR_SERVICE,
    ),
    get("/api/agents/{agent_id}", read_agent, AgentId, Agent, access=Access.USER_OR_AGENT),
]
