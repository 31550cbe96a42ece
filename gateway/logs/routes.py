"""Reading what agents logged."""

from gateway.logs import queries
from gateway.logs.schemas import LogSelection
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, listing
from gateway.web.paging import Page
from shared.domain.frames import LogEntry


async def list_logs(call: Call[Nothing, LogSelection]) -> Page[LogEntry]:
    """List the log entries of a request or of a session, in order.

    Exactly one of `request_id` and `session_id` is required, though each by itself is not.
    """
    by = call.parameters
    if by.request_id is None and by.session_id is None:
        raise BadRequestError("Either 'request_id' or 'session_id' must be provided")
    if by.request_id is not None and by.session_id is not None:
        raise BadRequestError("Only 'request_id' or 'session_id' could be provided but not both")
    return await call.read_page(
        lambda connection, part: queries.select_logs(
            connection, call.user_id, by.session_id, by.request_id, part
        )
    )


operations = [listing("/api/logs/list", list_logs, LogSelection, list[LogEntry])]
