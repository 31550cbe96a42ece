"""Listing, reading and cancelling requests."""

from gateway.requests import queries
from gateway.requests.cancellation import cancel
from gateway.requests.schemas import ChatRequest, RequestId, SessionRequests
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, command, get, listing
from gateway.web.paging import Page
from shared.postgres.pool import connect


async def list_requests(call: Call[Nothing, SessionRequests]) -> Page[ChatRequest]:
    """List the requests of one of the user's sessions, newest first."""
    session_id = call.parameters.session_id
    return await call.read_page(
        lambda connection, part: queries.select_requests(connection, call.user_id, session_id, part)
    )


async def read_request(call: Call[Nothing, RequestId]) -> ChatRequest:
    """Read how far one of the user's requests is."""
    async with connect(call.database) as connection:
        id_ = call.parameters.request_id
        request = await queries.select_request(connection, call.user_id, id_)
    if request is None:
        raise _unknown(call.parameters)
    return request


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
    listing("/api/requests", list_requests, SessionRequests, list[ChatRequest]),
    get("/api/requests/{request_id}", read_request, RequestId, ChatRequest),
    command(
        "/api/requests/{request_id}/cancel", create_cancellation, Nothing, RequestId, ChatRequest
    ),
]
