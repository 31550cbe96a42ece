"""OpenAI's API: models, chat completions and responses."""

import time
from datetime import UTC
from typing import Any

from attrs import frozen
from starlette.responses import Response

from gateway.completions import chat, responses
from gateway.completions.answering import accept, as_one, as_stream
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
from gateway.streams.asking import Accepted
from gateway.streams.histories import BODY_LIMIT
from gateway.streams.targets import Target, find_target, list_targets
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, Operation
from shared.postgres.pool import connect

PREFIX = "/v1/"


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
    body = call.body
    taken = await _take(call, of_completion(body), "create_completion")
    if body.stream:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return as_stream(call, taken.accepted, chat.ChatStream(taken.asked, with_usage))
    return as_one(call, taken.accepted, taken.asked, chat.tell_whole)


async def create_response(call: Call[NewResponse, Nothing]) -> Response:
    """Answer a text, or the last message of a conversation, at once or as it is made."""
    taken = await _take(call, of_response(call.body), "create_response")
    if call.body.stream:
        return as_stream(call, taken.accepted, responses.ResponseStream(taken.asked))
    return as_one(call, taken.accepted, taken.asked, responses.tell_whole)


@frozen
class _Taken:
    """A question that is stored, and what stands in its answer."""

    accepted: Accepted
    asked: Asked


async def _take(call: Call[Any, Nothing], conversation: Conversation, name: str) -> _Taken:
    """Raises UnknownModelError, RefusedError, TooManyRequestsError, UnavailableError."""
    body: NewCompletion | NewResponse = call.body
    session = session_name(body.metadata, call.request.headers, is_streamed=bool(body.stream))
    async with call.turn(name), connect(call.database) as connection:
        target = await find_target(connection, call.user_id, body.model)
        if target is None:
            raise UnknownModelError(body.model)
        most = call.state["settings"].max_message_bytes
        question = conversation.question(call.user_id, target, session, most)
        accepted = await accept(call.state, question)
    return _Taken(accepted, Asked(accepted.request_id, int(time.time()), body.model))


def _model(target: Target) -> Model:
    created = int(target.created_at.replace(tzinfo=UTC).timestamp())
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
