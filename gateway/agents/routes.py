"""Registering, reading, changing and deleting agents, and their tokens."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs
from databases.core import Connection
from msgspec import UNSET

from gateway.agents import queries
from gateway.agents.active import FLOW, select_active_connections, select_flows
from gateway.agents.schemas import (
    ActiveConnections,
    ActiveSelection,
    Agent,
    AgentChanges,
    AgentId,
    AgentSelection,
    AgentView,
    FrontendSelection,
    NewAgent,
    NewToken,
    RegisteredAgent,
)
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import command, delete, get, listing, patch, post
from gateway.web.paging import SMALL_BYTES, Page
from gateway.web.quotas import within
from gateway.web.scopes import Scope
from shared.domain.agents import (
    TOO_LARGE,
    ActiveConnection,
    is_too_large,
    make_alias,
    normalise_name,
)
from shared.notifications.channels import REVOKED_TOKENS
from shared.notifications.formats import encode_revoked
from shared.postgres.pool import connect
from shared.secrets import Vault
from shared.tokens import issue_agent_token, restore_token, without_signature


async def create_agent(call: Call[NewAgent, Nothing]) -> RegisteredAgent:
    """Register an agent and issue its token."""
    new = call.body
    id_ = uuid4() if new.id == "" else _wanted_id(new.id)
    if is_too_large(new.description, new.input_parameters):
        raise BadRequestError(TOO_LARGE)
    name, token = normalise_name(new.name), _issue_token(call, id_, new.expires_in)
    async with connect(call.database) as connection:
        stored = await _stored(call, connection, token)
        async with within(queries.AGENTS, call, connection):
            agent = await queries.insert_agent(
                connection,
                id_,
                call.user_id,
                name,
                make_alias(name),
                new.description,
                new.input_parameters,
                stored,
            )
    if agent is None:
        raise BadRequestError(f"Agent with {id_} already exists")
    return _issued(call, agent, token)


def _issued(call: Call[Any, Any], agent: RegisteredAgent, token: str) -> RegisteredAgent:
    agents_url = call.state["settings"].agents_url
    return attrs.evolve(agent, jwt=token, connects_to=agents_url or UNSET)


def _issue_token(call: Call[Any, Any], agent_id: UUID, expires_in: int | None) -> str:
    secret_key = call.state["settings"].secret_key
    return issue_agent_token(secret_key, agent_id, call.user_id, expires_in)


async def _stored(call: Call[Any, Any], connection: Connection, token: str) -> str:
    """What to store of a token."""
    has_begun = await call.state["sealing"].has_begun(connection)
    return without_signature(token) if has_begun else token


def _restore(call: Call[Any, Any]) -> queries.Restore | None:
    scopes = None if call.caller is None else call.caller.scopes
    if scopes is not None and Scope.AGENTS not in scopes:  # a token opens more than it does
        return None
    return partial(restore_token, call.state["settings"].secret_key, call.user_id)


def _wanted_id(text: str | None) -> UUID:
    if text is None:
        raise BadRequestError("Parameter 'id' must not be a null")
    try:
        return UUID(text)
    except ValueError:
        raise BadRequestError("Parameter 'id' must be a valid uuid") from None


async def list_agents(call: Call[Nothing, AgentSelection]) -> Page[Agent]:
    """List the user's agents that have a name and a description or are connected, oldest first."""
    asked, asking = call.parameters, call.agent_id
    return await call.read_page(
        lambda connection, part: queries.select_agents(
            connection, _restore(call), call.user_id, asking, asked, part
        )
    )


async def list_frontend_agents(call: Call[Nothing, FrontendSelection]) -> Page[Agent]:
    """List the user's agents as agents themselves ask for them: all, or the connected ones."""
    asked, asking = call.parameters, call.agent_id
    return await call.read_page(
        lambda connection, part: queries.select_agents(
            connection, _restore(call), call.user_id, asking, asked, part, asked.is_active
        )
    )


async def list_active_connections(call: Call[Nothing, ActiveSelection]) -> Page[ActiveConnection]:
    """List what the master agent may call for this user.

    Flows come first, on each page.
    """
    asked, vault = call.parameters, _vault_of_master(call)
    with_shared = asked.shared or _is_service(call)
    page = await call.read_page(
        lambda connection, part: select_active_connections(
            connection, vault, call.user_id, asked, part, with_shared=with_shared
        )
    )
    page.around = lambda told: ActiveConnections(told, [])
    if asked.agent_type in {"genai", "all"}:
        async with connect(call.database) as connection:
            flows, size = await select_flows(connection, call.user_id, with_shared=with_shared)
        if page.size <= SMALL_BYTES:
            await call.make_room(size)
        page.put_before(flows, FLOW, size)
    return page


def _vault_of_master(call: Call[Any, Any]) -> Vault | None:
    """The vault, where the master agent asks: by a key that nobody else is shown."""
    has_own_key = call.state["settings"].service_api_key is not None
    return call.state["vault"] if has_own_key and _is_service(call) else None


def _is_service(call: Call[Any, Any]) -> bool:
    return call.caller is not None and call.caller.is_service


async def read_agent(call: Call[Nothing, AgentView]) -> Agent:
    """Read one of the user's agents, or of those that others share with him."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
        agent = await queries.select_agent(
            connection,
            _restore(call),
            call.user_id,
            call.agent_id,
            id_,
            details=call.parameters.details,
        )
    if agent is None:
        raise BadRequestError(f"Agent '{id_}' does not exist")
    return agent


async def update_agent(call: Call[AgentChanges, AgentId]) -> Agent:
    """Change one of the user's agents; answers with its alias as the name."""
    id_, changes = call.parameters.agent_id, call.body
    if is_too_large(changes.description, changes.input_parameters):
        raise BadRequestError(TOO_LARGE)
    name = normalise_name(changes.name)
    async with connect(call.database) as connection:
        agent = await queries.update_agent(
            connection, _restore(call), call.user_id, id_, name, changes
        )
    if agent is None:
        raise BadRequestError(f"Agent '{id_}' does not exist")
    return attrs.evolve(agent, agent_name=agent.agent_alias)


async def create_agent_token(call: Call[NewToken, AgentId]) -> RegisteredAgent:
    """Issue a new token for one of the user's agents; the one that it had ends at once.

    Where the agent is connected, it is told and stops; it is inactive until it has connected with
    the new token.
    """
    id_ = call.parameters.agent_id
    token = _issue_token(call, id_, call.body.expires_in)
    async with connect(call.database) as connection:
        stored = await _stored(call, connection, token)
        agent = await queries.update_token(connection, call.user_id, id_, stored)
    if agent is None:
        raise BadRequestError(f"Agent '{id_}' does not exist")
    call.state["notifications"].publish(REVOKED_TOKENS, encode_revoked(id_))
    return _issued(call, agent, token)


async def delete_agent(call: Call[Nothing, AgentId]) -> None:
    """Delete one of the user's agents; where it is connected, it is told and stops."""
    id_ = call.parameters.agent_id
    async with connect(call.database) as connection:
        deleted = await queries.delete_agent(connection, call.user_id, id_)
    if not deleted:
        raise BadRequestError(f"Agent {id_} was not found")
    call.state["notifications"].publish(REVOKED_TOKENS, encode_revoked(id_))


operations = [
    post(
        "/api/agents/register", create_agent, NewAgent, RegisteredAgent, names={"agent_id": "/id"}
    ),
    listing(
        "/api/agents",
        list_agents,
        AgentSelection,
        list[Agent],
        access=Access.USER_OR_AGENT,
        fails=False,
    ),
    listing(
        "/api/agents/frontend",
        list_frontend_agents,
        FrontendSelection,
        list[Agent],
        access=Access.USER_OR_AGENT,
        fails=False,
    ),
    listing(
        "/api/agents/active",
        list_active_connections,
        ActiveSelection,
        ActiveConnections,
        access=Access.USER_AGENT_OR_SERVICE,
    ),
    get("/api/agents/{agent_id}", read_agent, AgentView, Agent, access=Access.USER_OR_AGENT),
    patch("/api/agents/{agent_id}", update_agent, AgentChanges, AgentId, Agent),
    delete("/api/agents/{agent_id}", delete_agent, AgentId),
    command("/api/agents/{agent_id}/token", create_agent_token, NewToken, AgentId, RegisteredAgent),
]
