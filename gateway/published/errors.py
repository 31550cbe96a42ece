"""Errors in the form of A2A's binding to HTTP, which is `google.rpc.Status` (AIP-193).

What is wrong with a request of A2A itself is told by its package.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

from attrs import frozen

from gateway.web.errors import ApiError, BadRequestError, Form
from gateway.web.sentences import sentence
from shared.codec.faults import InvalidInputError

FIRST_OF_SERVER = 500
STATUSES: Mapping[int, str] = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@frozen(slots=False)
class RpcStatus:
    """What went wrong: the HTTP status, and its name among the codes of gRPC."""

    code: int
    status: str
    message: str
    details: list[dict[str, Any]]


@frozen(slots=False)
class A2AError(Form):
    """Any error of these operations."""

    error: RpcStatus

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """What a caller is told of an error."""
        otherwise = "INTERNAL" if error.status >= FIRST_OF_SERVER else "INVALID_ARGUMENT"
        status = STATUSES.get(error.status, otherwise)
        return cls(RpcStatus(error.status, status, error.detail, []))

    @classmethod
    def malformed(cls, error: InvalidInputError) -> ApiError:
        """The first of the faults."""
        return BadRequestError(sentence(error.faults[0]))


class NotPublishedError(ApiError):
    """Nothing is published under this alias."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, alias: str) -> None:
        super().__init__(f"Nothing is published as {alias!r}")


class NotYoursError(ApiError):
    """Only who has published it may call it."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Only the user who has published it may call it")


class NoSuchOperationError(ApiError):
    """The protocol has no such operation."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("A2A has no such operation, or not with this method")
