"""What clients send to ask an agent or a flow itself, and what they are told."""

from typing import Annotated, ClassVar
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.streams.asking import FILES_LIMIT
from shared.codec.rules import JsonObject
from shared.domain.frames import Response

WAIT_SECONDS = 30.0
WAIT_LIMIT = 600.0  # seconds

Wait = Annotated[
    float,
    Meta(
        ge=0,
        le=WAIT_LIMIT,
        description="For how many seconds to wait for the answer; 0: only to be told where it is.",
    ),
]


@frozen
class Invocation:
    """What an agent is asked: a `message`, or `arguments` by the names of its parameters.

    Of a flow the first agent is given that, and each other one the answer before.
    """

    example: ClassVar[Json] = {"message": "What time is it in Kyiv?"}

    message: str | None = None
    arguments: JsonObject | None = None
    files: Annotated[list[UUID], Meta(max_length=FILES_LIMIT)] = field(factory=list)
    session_id: Annotated[UUID, Meta(description="The session to go on in.")] | None = None
    message_id: (
        Annotated[UUID, Meta(description="The same again in its session asks nobody again.")] | None
    ) = None


@frozen
class AskedAgentId:
    """An agent, and how long to wait for its answer."""

    agent_id: Annotated[UUID, Meta(description="Which agent.")]
    wait: Wait = WAIT_SECONDS


@frozen
class AskedFlowId:
    """A flow, and how long to wait for its answer."""

    agentflow_id: Annotated[UUID, Meta(description="Which flow.")]
    wait: Wait = WAIT_SECONDS


@frozen
class AskedRequestId:
    """A request, and how long to wait for its answer."""

    request_id: Annotated[UUID, Meta(description="As it was named when it was accepted.")]
    wait: Wait = WAIT_SECONDS


@frozen(slots=False)
class InvocationAnswer(Response):
    """What a request was answered: `response.response` is the text."""


@frozen(slots=False)
class OpenInvocation:
    """The request goes on; `Location` says where its answer can be waited for.

    What happens to it is told on the session's sockets and streams `after` this `seq`.
    """

    request_id: UUID
    session_id: UUID
    message_id: UUID | None
    seq: int


@frozen(slots=False)
class FailedInvocation(Response):
    """The request failed, for the reason that is the `detail`."""

    detail: str = ""
