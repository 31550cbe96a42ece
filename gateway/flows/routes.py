"""Making, reading, changing and deleting flows."""

from uuid import UUID

from databases.core import Connection

from gateway.flows import queries
from gateway.flows.queries import FlowContent
from gateway.flows.schemas import (
    FlowId,
    FlowPage,
    ListedFlow,
    Member,
    StoredFlow,
    WantedFlow,
    WantedMember,
)
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, patch, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.domain.agents import make_alias, normalise_name
from shared.domain.flows import select_active_members
from shared.postgres.pool import connect


async def create_flow(call: Call[WantedFlow, Nothing]) -> StoredFlow:
    """Make a flow of active members."""
    async with connect(call.database) as connection:
        content = await _find_content(connection, call.user_id, call.body)
        async with within(queries.FLOWS, call, connection):
            return await queries.insert_flow(connection, call.user_id, content)


async def list_flows(call: Call[Nothing, FlowPage]) -> Page[ListedFlow]:
    """List the user's flows, or those that others share with him, newest first."""
    return await call.read_page(
        lambda connection, part: queries.select_flows(
            connection, call.user_id, part, shared=call.parameters.shared
        )
    )


async def read_flow(call: Call[Nothing, FlowId]) -> ListedFlow:
    """Read one of the user's flows, or of those that others share with him."""
    id_ = call.parameters.agentflow_id
    async with connect(call.database) as connection:
        flow = await queries.select_flow(connection, call.user_id, id_)
    if flow is None:
        raise BadRequestError(f"Flow with id '{id_}' does not exist")
    return flow


async def update_flow(call: Call[WantedFlow, FlowId]) -> StoredFlow:
    """Change one of the user's flows; its alias stays while its name stays."""
    id_ = call.parameters.agentflow_id
    async with connect(call.database) as connection:
        content = await _find_content(connection, call.user_id, call.body)
        flow = await queries.update_flow(connection, call.user_id, id_, content)
    if flow is None:
        raise BadRequestError(f"Agentflow with ID '{id_}' was not found")
    return flow


async def delete_flow(call: Call[Nothing, FlowId]) -> None:
    """Delete one of the user's flows; its members stay."""
    id_ = call.parameters.agentflow_id
    async with connect(call.database) as connection:
        deleted = await queries.delete_flow(connection, call.user_id, id_)
    if not deleted:
        raise BadRequestError(f"agentflow {id_} was not found")


async def _find_content(connection: Connection, owner: UUID, wanted: WantedFlow) -> FlowContent:
    """What to store for what is wanted. Raises BadRequestError."""
    name = normalise_name(wanted.name)
    for field, value in (("name", name), ("description", wanted.description.strip())):
        if not value:
            raise BadRequestError(f"'{field}' parameter must not be empty string")
    members = [_member(each) for each in wanted.flow]
    active = await select_active_members(connection, owner, [member.id for member in members])
    if inactive := [str(each.id) for each in members if (each.id, each.type) not in active]:
        raise _inactive(*inactive)
    return FlowContent(name, make_alias(name), wanted.description, members)


def _member(wanted: WantedMember) -> Member:
    if wanted.id is None:
        raise _inactive(None)
    try:
        id_ = UUID(wanted.id)
    except ValueError:
        raise BadRequestError("Agent ID is not a valid UUID") from None
    match wanted.type:
        case "genai" | "mcp" | "a2a" as type_ if str(id_) == wanted.id:
            return Member(id_, type_)
        case "genai" | "mcp" | "a2a" | None:
            raise _inactive(wanted.id)
    raise BadRequestError("Agent type must be one of 'genai', 'mcp', or 'a2a'")


def _inactive(*ids: str | None) -> BadRequestError:
    named = list(dict.fromkeys(ids))
    return BadRequestError(
        f"One or more agents were not registered previously or are not active: {named}. "
        "Make sure agent was registered by you and is active before including it into the "
        "agent flow"
    )


operations = [
    post(
        "/api/agentflows/register",
        create_flow,
        WantedFlow,
        StoredFlow,
        names={"agentflow_id": "/id"},
    ),
    listing("/api/agentflows", list_flows, FlowPage, list[ListedFlow], fails=False),
    get("/api/agentflows/{agentflow_id}", read_flow, FlowId, ListedFlow),
    patch("/api/agentflows/{agentflow_id}", update_flow, WantedFlow, FlowId, StoredFlow),
    delete("/api/agentflows/{agentflow_id}", delete_flow, FlowId),
]
