"""What users' requests and agents are doing, for administrators."""

from gateway.audit.acting import acting, actor_of
from gateway.requests.schemas import ChatRequest, RequestId
from gateway.users import overseeing_queries as queries
from gateway.users.cancelling import cancel_as
from gateway.users.overseeing import (
    ENDED,
    OPEN,
    UserAgent,
    UserAgentSelection,
    UserRequest,
    UserRequestSelection,
)
from gateway.users.overseeing_queries import WantedRequests
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import listing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from shared.notifications.holding import holding

ONLY_OPEN = "Of all users only open requests are listed: name a user_id or a session_id"


async def list_user_requests(call: Call[Nothing, UserRequestSelection]) -> Page[UserRequest]:
    """List requests of any user, newest first, without what was asked and answered.

    Of all users together those that are open: the others would be too many.
    """
    asked = call.parameters
    is_bounded = asked.user_id is not None or asked.session_id is not None
    match asked.status:
        case "open":
            statuses = OPEN
        case None:
            statuses = (*OPEN, *ENDED) if is_bounded else OPEN
        case status:
            statuses = (status,)
    if not is_bounded and not {*statuses} <= {*OPEN}:
        raise BadRequestError(ONLY_OPEN)
    wanted = WantedRequests(owner=asked.user_id, session_id=asked.session_id, statuses=statuses)
    return await call.read_page(
        lambda connection, part: queries.select_requests(connection, wanted, part)
    )


async def create_user_cancellation(call: Call[Nothing, RequestId]) -> ChatRequest:
    """Cancel a request of any user, as its owner could; one that has ended stays as it is."""
    id_ = call.parameters.request_id
    with holding(call.state["notifications"]) as notifications:
        async with acting(call) as connection:
            owner = await queries.select_request_owner(connection, id_)
            request = owner and await cancel_as(
                actor_of(call), connection, notifications, owner, id_
            )
    if not request:
        raise BadRequestError(f"Request with id '{id_}' does not exist")
    return request


async def list_user_agents(call: Call[Nothing, UserAgentSelection]) -> Page[UserAgent]:
    """List agents of any user, and at which bridge each is connected."""
    asked = call.parameters
    return await call.read_page(
        lambda connection, part: queries.select_agents(
            connection, asked.user_id, part, only_connected=asked.connected
        )
    )


operations = [
    listing(
        "/api/admin/requests",
        list_user_requests,
        UserRequestSelection,
        list[UserRequest],
        access=Access.ADMIN,
    ),
    Operation(
        method="POST",
        path="/api/admin/requests/{request_id}/cancel",
        handler=create_user_cancellation,
        parameters=RequestId,
        result=ChatRequest,
        access=Access.ADMIN,
    ),
    listing(
        "/api/admin/agents",
        list_user_agents,
        UserAgentSelection,
        list[UserAgent],
        access=Access.ADMIN,
        fails=False,
    ),
]
