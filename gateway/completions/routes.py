"""OpenAI's API: models, chat completions and responses."""

import asyncio
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.responses import Response

from gateway.completions import chat, responses
from gateway.completions.answering import Taken, as_one, as_stream, refuse
from gateway.completions.conversations import (
    Conversation,
    of_completion,
    of_response,
    session_name,
)
from gateway.completions.described import COMPLETION, RESPONSE
from gateway.completions.errors import FailedAnswerError, OpenAIError, UnknownModelError
from gateway.completions.schemas import Model, ModelName, Models, NewCompletion, NewResponse
from gateway.completions.speech import Asked
from gateway.streams.accepting import accept
from gateway.streams.following import hear
from gateway.streams.histories import BODY_LIMIT
from gateway.streams.targets import Target, find_target, list_targets
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.postgres.pool import connect

PREFIX = "/v1/"
EPOCH, SECOND = datetime(1970, 1, 1), timedelta(seconds=1)  # noqa: DTZ001 (as PostgreSQL stores it)


async def list_models(call: Call[Nothing, Nothing]) -> Models:
    """List who can be asked: the user's model configs, active flows and active agents."""
    async with connect(call.database) as connection:
        targets = await list_targets(connection, call.user_id)
    return Models("list", [_model(target) for target in targets])


async def read_model(call: Call[Nothing, ModelName]) -> Model:
    """Read who is called so, or has this id."""
    async with connect(call.database) as connection:
        target = await find_target(connection, call.user_id, call.parameters.model)
    if target is None:
        raise UnknownModelError(call.parameters.model)
    return _model(target)


async def create_completion(call: Call[NewCompletion, Nothing]) -> Response:
    """Answer the last message of a conversation, at once or as it is made."""
    body, conversation, taken = call.body, of_completion(call.body), _future()
    if body.stream:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        answer = as_stream(call, taken, partial(chat.ChatStream, with_usage=with_usage))
    else:
        answer = as_one(call, taken, chat.tell_whole)
    taken.set_result(await _take(call, conversation, "create_completion"))
    return answer


async def create_response(call: Call[NewResponse, Nothing]) -> Response:
    """Answer a text, or the last message of a conversation, at once or as it is made."""
    conversation, taken = of_response(call.body), _future()
    if call.body.stream:
        answer = as_stream(call, taken, responses.ResponseStream)
    else:
        answer = as_one(call, taken, responses.tell_whole)
    taken.set_result(await _take(call, conversation, "create_response"))
    return answer


def _future() -> asyncio.Future[Taken]:
    return asyncio.get_running_loop().create_future()


async def _take(call: Call[Any, Nothing], conversation: Conversation, name: str) -> Taken:
    """Raises UnknownModelError, RefusedError, TooManyRequestsError, UnavailableError."""
    body: NewCompletion | NewResponse = call.body
    session = session_name(body.metadata, call.request.headers, is_streamed=bool(body.stream))
    async with call.turn(name), connect(call.database) as connection:
        target = await find_target(connection, call.user_id, body.model)
        if target is None:
            raise UnknownModelError(body.model)
        most = call.state["settings"].max_message_bytes
        question = conversation.question(call.user_id, target, session, most)
        await call.held.enter_async_context(hear(call.state, question, with_parts=True))
        accepted = await accept(call.state, question, refuse)
    return Taken(accepted, Asked(accepted.request_id, int(time.time()), body.model))


def _model(target: Target) -> Model:
    created = (target.created_at - EPOCH) // SECOND
    return Model(target.name, created, target.kind, target.description)


def _operation(method: str, path: str, handler: Any, **others: Any) -> Operation:
    return Operation(
        method=method, path=f"{PREFIX}{path}", handler=handler, refusal=OpenAIError, **others
    )


def _asking(path: str, handler: Any, body: type, described: Any) -> Operation:
    return _operation(
        "POST",
        path,
        handler,
        body=body,
        result=Response,
        responses={"200": described},
        most_bytes=BODY_LIMIT,
        further_errors=[UnknownModelError, FailedAnswerError],
        bounded=True,
        lends=False,
    )


operations = [
    _operation("GET", "models", list_models, result=Models, fails=False),
    _operation(
        "GET",
        "models/{model}",
        read_model,
        parameters=ModelName,
        result=Model,
        rest="model",
        further_errors=[UnknownModelError],
    ),
    _asking("chat/completions", create_completion, NewCompletion, COMPLETION),
    _asking("responses", create_response, NewResponse, RESPONSE),
]
