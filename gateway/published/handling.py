"""The operations of A2A over requests: a task is one, a context is a session.

Nothing of a task is kept here, so any gateway answers for each.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from functools import wraps
from typing import Any, NoReturn
from uuid import UUID

from a2a.server.context import ServerCallContext
from a2a.server.events import Event
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
)
from a2a.utils.errors import (
    A2AError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from a2a.utils.proto_utils import validate_proto_required_fields
from a2a.utils.task import apply_history_length, validate_history_length
from databases.core import Connection

from gateway.published.asked import Asked
from gateway.published.listing import list_tasks
from gateway.published.questions import NO_PUSH, question_of
from gateway.published.task_queries import select_task
from gateway.published.tasks import StoredTask, task_of
from gateway.published.updates import Updates
from gateway.requests.cancellation import cancel
from gateway.streams.accepting import accept
from gateway.streams.following import (
    SessionGoneError,
    follow_request,
    follow_to_the_end,
    hear,
)
from gateway.web.errors import BadRequestError
from gateway.web.paging import SMALL_BYTES
from shared.postgres.pool import connect

ASKED = "asked"  # where the state of the package's context has the call

ONE_MESSAGE = "A task takes one message: send the next one without a taskId, in the same context"
OTHER_CONTEXT = "The task is in another context"
ASKED_ELSEWHERE = "This message of the context was asked elsewhere"
NO_EXTENDED_CARD = "There is no extended card: the public one says all"


class NotedError(A2AError):
    """Stands for an error that is none of A2A, on its way through the package."""

    message = "Internal error"


@contextmanager
def _noting(context: ServerCallContext) -> Iterator[Asked]:
    """What is no error of A2A is answered as anywhere: the package would tell what it says."""
    asked: Asked = context.state[ASKED]
    try:
        yield asked
    except A2AError:
        raise
    except Exception as error:  # noqa: BLE001 (it is raised again, past the package)
        asked.raised.append(error)
        raise NotedError from None


def _unary(handle: Any) -> Any:
    @wraps(handle)
    async def noted(self: Any, params: Any, context: ServerCallContext) -> Any:
        with _noting(context) as asked:
            validate_proto_required_fields(params)
            return await handle(self, params, asked)

    return noted


def _streaming(handle: Any) -> Any:
    @wraps(handle)
    async def noted(self: Any, params: Any, context: ServerCallContext) -> Any:
        with _noting(context) as asked:
            validate_proto_required_fields(params)
            async with aclosing(handle(self, params, asked)) as events:
                async for event in events:
                    yield event

    return noted


class Requests(RequestHandler):
    """Requests as the package's server wants them."""

    @_unary
    async def on_message_send(self, params: SendMessageRequest, asked: Asked) -> Task:
        """Ask, and wait for the end unless that is not wanted."""
        stored = await _ask(asked, params, with_parts=False)
        if not params.configuration.return_immediately and not stored.has_ended:
            await _wait(asked, stored)
            stored = await _read(asked, stored.id)
        return apply_history_length(task_of(stored, asked.files_url), params.configuration)

    @_streaming
    async def on_message_send_stream(
        self, params: SendMessageRequest, asked: Asked
    ) -> AsyncGenerator[Event]:
        """Ask, and tell what happens until the end."""
        stored = await _ask(asked, params, with_parts=True)
        yield apply_history_length(task_of(stored, asked.files_url), params.configuration)
        async for event in _tell(asked, stored):
            yield event

    @_streaming
    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, asked: Asked
    ) -> AsyncGenerator[Event]:
        """Tell what has happened to a task that goes on, and what happens until the end."""
        stored = await _read(asked, _id_of(params.id))
        if stored.has_ended:
            raise UnsupportedOperationError("The task has ended: ask for it")
        yield task_of(stored, asked.files_url)
        async for event in _tell(asked, stored):
            yield event

    @_unary
    async def on_get_task(self, params: GetTaskRequest, asked: Asked) -> Task:
        """Tell how far a task is."""
        validate_history_length(params)
        stored = await _read(asked, _id_of(params.id))
        return apply_history_length(task_of(stored, asked.files_url), params)

    @_unary
    async def on_list_tasks(self, params: ListTasksRequest, asked: Asked) -> ListTasksResponse:
        """Tell how far tasks are, those that changed last first."""
        return await list_tasks(asked.call, asked.published, params, asked.files_url)

    @_unary
    async def on_cancel_task(self, params: CancelTaskRequest, asked: Asked) -> Task:
        """End a task that has not ended."""
        call, id_ = asked.call, _id_of(params.id)
        async with call.turn("cancel_task"), connect(call.database) as connection:
            if (await _select(connection, asked, id_, 0)).has_ended:
                raise TaskNotCancelableError
            request = await cancel(connection, call.state["notifications"], call.user_id, id_)
        if request is None or request.status != "cancelled":
            raise TaskNotCancelableError
        return task_of(await _read(asked, id_), asked.files_url)

    @_unary
    async def on_get_extended_agent_card(self, params: Any, asked: Asked) -> NoReturn:
        """Say that there is none."""
        raise UnsupportedOperationError(NO_EXTENDED_CARD)

    @_unary
    async def _refuse_push(self, params: Any, asked: Asked) -> NoReturn:
        raise PushNotificationNotSupportedError(NO_PUSH)

    on_create_task_push_notification_config = _refuse_push
    on_get_task_push_notification_config = _refuse_push
    on_list_task_push_notification_configs = _refuse_push
    on_delete_task_push_notification_config = _refuse_push


async def _ask(asked: Asked, params: SendMessageRequest, *, with_parts: bool) -> StoredTask:
    """The task that has begun, or that the same message had begun before."""
    call, published = asked.call, asked.published
    most_bytes = call.state["settings"].max_message_bytes
    question = question_of(published, params, most_bytes, asked.files_url)
    async with call.turn("send_message"), connect(call.database) as connection:
        if params.message.task_id:
            await _refuse_task(connection, asked, params)
        await call.held.enter_async_context(hear(call.state, question, with_parts=with_parts))
        try:
            accepted = await accept(call.state, question)
        except BadRequestError as error:
            raise InvalidParamsError(error.detail) from None
    if accepted.is_new:
        return StoredTask.begun(question, accepted)
    try:
        return await _read(asked, accepted.request_id)
    except TaskNotFoundError:
        raise InvalidParamsError(ASKED_ELSEWHERE) from None


async def _refuse_task(
    connection: Connection, asked: Asked, params: SendMessageRequest
) -> NoReturn:
    """Say why a message goes to no task that there is."""
    stored = await _select(connection, asked, _id_of(params.message.task_id), 0)
    if params.message.context_id not in {"", stored.names.context_id}:
        raise InvalidParamsError(OTHER_CONTEXT)
    raise UnsupportedOperationError(ONE_MESSAGE)


async def _tell(asked: Asked, stored: StoredTask) -> AsyncGenerator[Event]:
    if stored.has_ended:
        return
    updates = Updates(stored.names, asked.files_url)
    async for event in _follow(asked, stored):
        for update in updates.tell(event):
            yield update


async def _follow(asked: Asked, stored: StoredTask) -> AsyncIterator[Any]:
    """What happens to the request, to its end. Raises TaskNotFoundError where it is no more.

    It is followed until the call is over: the package does not close what it iterates.
    """
    call = asked.call
    following = follow_request(call.state, call.user_id, stored.accepted)
    try:
        async for event in await call.held.enter_async_context(following):
            yield event
    except SessionGoneError as error:
        raise TaskNotFoundError(str(error)) from None


async def _wait(asked: Asked, stored: StoredTask) -> None:
    """Wait until the request has ended. Raises TaskNotFoundError where it is no more."""
    try:
        await follow_to_the_end(asked.call.state, asked.call.user_id, stored.accepted)
    except SessionGoneError as error:
        raise TaskNotFoundError(str(error)) from None


async def _read(asked: Asked, id_: UUID) -> StoredTask:
    """The task with its texts; large ones when there is room. Raises TaskNotFoundError."""
    call = asked.call
    async with call.turn("get_task"), connect(call.database) as connection:
        stored = await _select(connection, asked, id_, SMALL_BYTES)
        if stored.size <= SMALL_BYTES:
            return stored
        await call.make_room(stored.size)
        return await _select(connection, asked, id_, stored.size)


async def _select(connection: Connection, asked: Asked, id_: UUID, most_bytes: int) -> StoredTask:
    stored = await select_task(connection, asked.published, id_, most_bytes)
    if stored is None:
        raise TaskNotFoundError
    return stored


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise TaskNotFoundError from None
