"""Asking agents and flows themselves, and waiting for the answers of requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from databases.core import Connection
from starlette.responses import Response

from gateway.invocations import queries
from gateway.invocations.answering import answer_soon
from gateway.invocations.errors import ConflictError, GoneError, UnknownError
from gateway.invocations.questions import check_members, question_of
from gateway.invocations.schemas import (
    AskedAgentId,
    AskedFlowId,
    AskedRequestId,
    FailedInvocation,
    Invocation,
    InvocationAnswer,
    OpenInvocation,
)
from gateway.streams.accepting import accept
from gateway.streams.asking import Accepted
from gateway.streams.following import hear
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.domain.asked import Member
from shared.postgres.pool import connect

type Select = Callable[[Connection, UUID, UUID], Awaitable[list[Member]]]


async def create_agent_invocation(call: Call[Invocation, AskedAgentId]) -> Response:
    """Ask one of the user's agents itself, and wait for its answer.

    Where that does not come in time, the request goes on, and so it does if the client hangs up.
    It takes part in the session that is named; without one it has a session of its own, which is
    not among the user's chats.
    """
    asked = call.parameters
    return await _invoke(call, queries.select_agent, asked.agent_id, asked.wait)


async def create_flow_invocation(call: Call[Invocation, AskedFlowId]) -> Response:
    """Ask the agents of one of the user's flows in turn, and wait for the answer of the last.

    As with an agent.
    """
    asked = call.parameters
    return await _invoke(call, queries.select_members, asked.agentflow_id, asked.wait)


async def _invoke(
    call: Call[Invocation, Any], select: Select, asked_id: UUID, seconds: float
) -> Response:
    accepted = _future()
    answer = answer_soon(call, seconds, accepted)
    question = question_of(call, asked_id)
    await call.held.enter_async_context(hear(call.state, question, with_parts=False))
    async with call.turn("create_invocation"), connect(call.database) as connection:
        members = await select(connection, call.user_id, asked_id)
        if not members:
            raise UnknownError(f"There is no agent or flow with the id '{asked_id}'")
        check_members(members, call.body.arguments)
        accepted.set_result(await accept(call.state, question))
    return answer


async def read_answer(call: Call[Nothing, AskedRequestId]) -> Response:
    """Read what one of the user's requests was answered; wait for it where it goes on."""
    accepted = _future()
    answer = answer_soon(call, call.parameters.wait, accepted)
    id_ = call.parameters.request_id
    async with call.turn("read_answer"), connect(call.database) as connection:
        found = await queries.select_accepted(connection, call.user_id, id_)
    if found is None:
        raise BadRequestError(f"Request with id '{id_}' does not exist")
    accepted.set_result(found)
    return answer


def _future() -> "asyncio.Future[Accepted]":
    return asyncio.get_running_loop().create_future()


def _operation(method: str, path: str, handler: Any, **others: Any) -> Operation:
    return Operation(
        method=method,
        path=path,
        handler=handler,
        result=InvocationAnswer,
        further_results={202: OpenInvocation, 502: FailedInvocation, 504: FailedInvocation},
        names={"request_id": "/request_id"},
        bounded=True,
        lends=False,
        **others,
    )


operations = [
    _operation(
        "POST",
        "/api/agents/{agent_id}/invoke",
        create_agent_invocation,
        body=Invocation,
        parameters=AskedAgentId,
        further_errors=[UnknownError, ConflictError, GoneError],
    ),
    _operation(
        "POST",
        "/api/agentflows/{agentflow_id}/invoke",
        create_flow_invocation,
        body=Invocation,
        parameters=AskedFlowId,
        further_errors=[UnknownError, ConflictError, GoneError],
    ),
    _operation(
        "GET",
        "/api/requests/{request_id}/answer",
        read_answer,
        parameters=AskedRequestId,
        further_errors=[ConflictError, GoneError],
    ),
]
