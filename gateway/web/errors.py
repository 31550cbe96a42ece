"""The few errors that handlers raise, and the one place that turns errors into answers."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.converter import unstructure
from shared.database import DatabaseAwayError
from shared.faults import InvalidInputError

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """What a caller is told: a status and one sentence."""

    status = 500
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequestError(ApiError):
    """The request can't be met as it is; the detail says why.

    Also for an object that is unknown or another user's.
    """

    status = 400


class UnauthorizedError(ApiError):
    """No credentials, or dead ones.

    The front-end logs its user out.
    """

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class TooSlowError(ApiError):
    """The body did not come in time."""

    status = 408


class TooLargeError(ApiError):
    """The body is larger than the operation takes."""

    status = 413


class TooManyRequestsError(ApiError):
    """A bound is reached; there is room again in so many seconds."""

    status = 429
    headers = MappingProxyType({"Retry-After": "1"})

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(detail)
        self.headers = MappingProxyType({"Retry-After": str(seconds)})


class UnavailableError(ApiError):
    """Too busy, or something that is needed is away; the same request may succeed soon."""

    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


def _answer_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse({"detail": error.detail}, error.status, error.headers)


def _answer_invalid_input(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidInputError)
    return JSONResponse({"detail": unstructure(error.faults)}, 422)


def _answer_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def _answer_database_away(_request: Request, error: Exception) -> Response:
    logger.warning("%s", error)
    unavailable = UnavailableError("The database can't be reached, please try again")
    return _answer_api_error(_request, unavailable)


def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """The sender left in the middle of its body: nobody reads this."""
    return Response(status_code=400)


exception_handlers: dict[Any, Any] = {
    ApiError: _answer_api_error,
    InvalidInputError: _answer_invalid_input,
    HTTPException: _answer_http_exception,
    DatabaseAwayError: _answer_database_away,
    ClientDisconnect: _answer_nobody,
}


class AnswerUnexpectedErrors:
    """Answers 500 inside the CORS middleware: without its headers no browser can read it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; log and answer what nobody else caught."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception:
            if begun:
                raise  # the server logs it and cuts the connection, so that the end is missed
            logger.exception("%s %s failed", scope["method"], scope["path"])
            answer = JSONResponse({"detail": "Internal Server Error"}, 500)
            await answer(scope, receive, send)
