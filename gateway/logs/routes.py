"""Reading what agents logged."""

from gateway.logs.queries import select_request_logs, select_session_logs
from gateway.logs.schemas import LogSelection
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import listing
from gateway.web.paging import Page
from shared.domain.frames import LogEntry


async def list_logs(call: Call[Nothing, LogSelection]) -> Page[LogEntry]:
    """List the log entries of a request or of a session, in order.

    Exactly one of `request_id` and `session_id` is required, though each by itself is not.
    """
    session_id, request_id = call.parameters.session_id, call.parameters.request_id
    owner, agent_id = call.user_id, call.parameters.agent_id
    if session_id is not None and request_id is not None:
        raise BadRequestError("Only 'request_id' or 'session_id' could be provided but not both")
    if session_id is not None:
        return await call.read_page(
            lambda connection, part: select_session_logs(
                connection, owner, session_id, agent_id, part
            )
        )
    if request_id is not None:
        return await call.read_page(
            lambda connection, part: select_request_logs(
                connection, owner, request_id, agent_id, part
            )
        )
    raise BadRequestError("Either 'request_id' or 'session_id' must be provided")


operations = [listing("/api/logs/list", list_logs, LogSelection, list[LogEntry])]
