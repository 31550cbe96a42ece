"""Lists of tasks, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from a2a.types import ListTasksRequest, ListTasksResponse, Task
from a2a.utils.constants import DEFAULT_LIST_TASKS_PAGE_SIZE
from a2a.utils.errors import InvalidParamsError
from a2a.utils.task import (
    ListTasksCursor,
    apply_history_length,
    decode_list_tasks_cursor,
    encode_list_tasks_cursor,
    validate_history_length,
    validate_page_size,
)

from gateway.published.queries import Published
from gateway.published.task_queries import TaskSelection, count_tasks, select_tasks, with_files
from gateway.published.tasks import STATES, StoredTask, task_of
from gateway.streams.asking import session_of
from gateway.web.call import Call
from gateway.web.paging import Slice
from shared.postgres.pool import connect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOKEN_LIMIT = 255  # characters
MICROSECOND = 1000  # nanoseconds
ODD_TOKEN = "pageToken must be the nextPageToken of another page"  # noqa: S105 (a sentence)


async def list_tasks(
    call: Call[Any, Any], published: Published, params: ListTasksRequest, files_url: str
) -> ListTasksResponse:
    """The page that is asked for. Raises InvalidParamsError."""
    size, selection = _size_of(params), _selection_of(published.owner, params)
    async with call.turn("list_tasks"):
        page = await call.read_page(
            lambda connection, part: select_tasks(connection, published, selection, part),
            Slice(size, 0),
        )
        async with connect(call.database) as connection:
            tasks = await with_files(connection, published.owner, page.things())
            total = await count_tasks(connection, published, selection)
    return ListTasksResponse(
        tasks=[_shown(task, params, files_url) for task in tasks],
        next_page_token=_token_after(tasks[-1]) if page.has_more else "",
        page_size=size,
        total_size=total,
    )


def _shown(stored: StoredTask, params: ListTasksRequest, files_url: str) -> Task:
    task = apply_history_length(task_of(stored, files_url), params)
    if not params.include_artifacts:
        task.ClearField("artifacts")
    return task


def _size_of(params: ListTasksRequest) -> int:
    if not params.HasField("page_size"):
        return DEFAULT_LIST_TASKS_PAGE_SIZE
    validate_page_size(params.page_size)
    return int(params.page_size)


def _selection_of(owner: UUID, params: ListTasksRequest) -> TaskSelection:
    validate_history_length(params)
    if "\x00" in params.context_id:
        raise InvalidParamsError("contextId must have no NUL character")
    statuses = [status for status, state in STATES.items() if state == params.status]
    has_since = params.HasField("status_timestamp_after")
    return TaskSelection(
        session_id=session_of(owner, params.context_id) if params.context_id else None,
        statuses=statuses if params.status else None,
        since=params.status_timestamp_after.ToDatetime(UTC) if has_since else None,
        before=_place_of(params.page_token) if params.page_token else None,
        with_questions=not (params.HasField("history_length") and params.history_length == 0),
        with_answers=params.include_artifacts,
    )


def _token_after(task: StoredTask) -> str:
    since_epoch = (task.changed_at - EPOCH) // timedelta(microseconds=1)
    return encode_list_tasks_cursor(ListTasksCursor(since_epoch * MICROSECOND, str(task.id)))


def _place_of(token: str) -> tuple[datetime, UUID]:
    cursor = decode_list_tasks_cursor(token) if len(token) <= TOKEN_LIMIT else None
    if cursor is None or cursor.timestamp_ns is None:
        raise InvalidParamsError(ODD_TOKEN)
    try:
        moment = EPOCH + timedelta(microseconds=cursor.timestamp_ns // MICROSECOND)
        return moment, UUID(cursor.task_id)
    except (ValueError, OverflowError):
        raise InvalidParamsError(ODD_TOKEN) from None
