"""Errors in the form of OpenAI's API, and those that only it has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

import attrs
from attrs import frozen

from gateway.web.errors import (
    ApiError,
    BadRequestError,
    Form,
    QuotaSpentError,
    UnauthorizedError,
)
from gateway.web.sentences import sentence
from shared.codec.faults import Fault, InvalidInputError

SERVER_ERROR = "server_error"
QUOTA_SPENT = "insufficient_quota"  # the type and the code
CODES: Mapping[int, str | None] = {
    UnauthorizedError.status: "invalid_api_key",
    403: "missing_scope",
    404: "not_found",
    408: "request_timeout",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    502: "answer_failed",
}
TYPES: Mapping[int, str] = {401: "authentication_error", 429: "rate_limit_error"}
FIRST_OF_SERVER = 500


@frozen(slots=False)
class ErrorDetails:
    """What went wrong, and with which parameter."""

    message: str
    type: str
    param: str | None
    code: str | None


@frozen(slots=False)
class OpenAIError(Form):
    """Any error of these operations."""

    error: ErrorDetails

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """What a caller is told of an error."""
        if isinstance(error, QuotaSpentError):
            return cls(ErrorDetails(error.detail, QUOTA_SPENT, None, QUOTA_SPENT))
        is_ours = error.status >= FIRST_OF_SERVER
        kind = SERVER_ERROR if is_ours else TYPES.get(error.status, "invalid_request_error")
        code = error.code if isinstance(error, RefusedError) else CODES.get(error.status)
        param = error.param if isinstance(error, RefusedError) else None
        return cls(ErrorDetails(error.detail, kind, param, code))

    @classmethod
    def malformed(cls, error: InvalidInputError) -> ApiError:
        """The first of the faults, and where it is."""
        fault = error.faults[0]
        place = ".".join(map(str, fault.loc[1:]))
        return RefusedError(_sentence(fault), place or None)


class RefusedError(BadRequestError):
    """The request can't be met as it is; `param` is what of it."""

    code: str | None = None

    def __init__(self, detail: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.param = param
        self.code = code or self.code


class UnknownModelError(RefusedError):
    """There is no such model that the user may ask now."""

    status = 404
    code = "model_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' does not exist, or is not connected", "model")


class FailedAnswerError(ApiError):
    """The model was asked, and has failed; asked again, it would do its work once more."""

    status = 502
    headers = MappingProxyType({"X-Should-Retry": "false"})


def _sentence(fault: Fault) -> str:
    if fault.type == "json_invalid":
        return "The body is no JSON"
    if len(fault.loc) < len(("body", "field")):
        return f"The {fault.loc[0]} is malformed: {fault.msg}" if fault.loc else fault.msg
    if fault.type == "missing":
        return f"'{'.'.join(map(str, fault.loc[1:]))}' is missing"
    return sentence(attrs.evolve(fault))
