"""Listing, reading and cancelling requests."""

import attrs

from gateway.requests import queries
from gateway.requests.cancellation import cancel
from gateway.requests.facts import select_facts
from gateway.requests.schemas import ChatRequest, RequestDetails, RequestId, RequestSelection
from gateway.requests.waiting import conclude
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import command, get, listing
from gateway.web.paging import Page
from shared.postgres.pool import connect


async def list_requests(call: Call[Nothing, RequestSelection]) -> Page[ChatRequest]:
    """List the user's requests, newest first: all, or those of a chat, a status or an agent."""
    wanted = call.parameters
    return await call.read_page(
        lambda connection, part: queries.select_requests(connection, call.user_id, wanted, part)
    )


async def read_request(call: Call[Nothing, RequestId]) -> RequestDetails:
    """Read how far one of the user's requests is, and of an open one what it waits for."""
    id_ = call.parameters.request_id
    async with connect(call.database) as connection:
        request = await queries.select_details(connection, call.user_id, id_)
        if request is None:
            raise _unknown(call.parameters)
        if request.ended_at is not None:
            return request
        facts = await select_facts(connection, id_, call.user_id)
    has_bridges = call.state["bridges"].are_there
    reasons = [*conclude(facts, has_bridges=has_bridges)] if facts else []
    return attrs.evolve(request, waits_for=reasons)


async def create_cancellation(call: Call[Nothing, RequestId]) -> ChatRequest:
    """Cancel one of the user's requests; one that has ended stays as it is."""
    async with connect(call.database) as connection:
        request = await cancel(
            connection, call.state["notifications"], call.user_id, call.parameters.request_id
        )
    if request is None:
        raise _unknown(call.parameters)
    return request


def _unknown(asked: RequestId) -> BadRequestError:
    return BadRequestError(f"Request with id '{asked.request_id}' does not exist")


operations = [
    listing("/api/requests", list_requests, RequestSelection, list[ChatRequest]),
    get("/api/requests/{request_id}", read_request, RequestId, RequestDetails),
    command(
        "/api/requests/{request_id}/cancel", create_cancellation, Nothing, RequestId, ChatRequest
    ),
]
