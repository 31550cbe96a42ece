"""The few errors that handlers raise, and the one place that turns errors into answers."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.refusals import log_refusal
from gateway.web.scopes import Scopes
from shared.codec.converter import unstructure
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import DatabaseAwayError

logger = logging.getLogger(__name__)


@frozen(slots=False)
class Form:
    """What a caller is told of an error: what it says, in the words of a protocol."""

    malformed: ClassVar[Any] = None
    """What becomes of an InvalidInputError in this form; None: all its faults are told by 422."""

    @classmethod
    def of(cls, error: "ApiError") -> Self:
        """What a caller is told of an error."""
        raise NotImplementedError

    @classmethod
    def headers_of(cls, error: "ApiError", _scope: Scope) -> Mapping[str, str]:
        """What the headers of the answer tell of it."""
        return error.headers


@frozen(slots=False)
class Refusal(Form):
    """One sentence about what went wrong."""

    detail: str

    @classmethod
    def of(cls, error: "ApiError") -> Self:
        """What a caller is told of an error."""
        return cls(error.detail)


class ApiError(Exception):
    """What a caller is told: a status and one sentence, in the form that its operation has.

    `logged` is what the log says of it, in one of the sentences of `gateway.web.refusals`: of what
    somebody may do on purpose.
    """

    status = 500
    refusal: type[Form] = Refusal
    headers: Mapping[str, str] = MappingProxyType({})
    about: str | int | None = None
    """How the caller calls its message, in protocols in which each has an id."""

    def __init__(self, detail: str, logged: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.logged = logged


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


class ForbiddenError(ApiError):
    """The caller is known, and may not do this: only where no front-end of the original calls.

    That one logs its user out.
    """

    status = 403


class InsufficientScopeError(ForbiddenError):
    """The API key is good, and not for this (RFC 6750)."""

    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})

    def __init__(self, opening: Scopes) -> None:
        named = " or ".join(f"'{each}'" for each in opening)
        why = f"This wants an API key with the scope {named}"
        super().__init__(why if opening else "API keys are not let in here: please log in")
        scope = [f'scope="{" ".join(opening)}"'] if opening else []
        self.parameters = ['error="insufficient_scope"', *scope]
        challenge = f"Bearer {', '.join(self.parameters)}"
        self.headers = MappingProxyType({"WWW-Authenticate": challenge})


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

    def __init__(self, detail: str, seconds: int, logged: str = "") -> None:
        super().__init__(detail, logged)
        self.headers = MappingProxyType({"Retry-After": str(seconds)})


class QuotaSpentError(TooManyRequestsError):
    """What there was for a time is spent; there is more in so many seconds, and not before."""

    def __init__(self, detail: str, seconds: int, logged: str = "") -> None:
        super().__init__(detail, seconds, logged)
        self.headers = MappingProxyType({**self.headers, "X-Should-Retry": "false"})


class UnavailableError(ApiError):
    """Too busy, or something that is needed is away; the same request may succeed soon."""

    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


class StorageFullError(ApiError):
    """There is no room for it, and there will be none soon."""

    status = 507


class OtherError(ApiError):
    """What no operation has raised."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


NO_FORMS: Mapping[str, type[Form]] = MappingProxyType({})


class AnswerErrors:
    """Answers what is raised, what nobody expected with a 500.

    Inside the CORS middleware: without its headers no browser can read an answer. Below the paths
    of `forms` everything has the form of a protocol, whatever is wrong.
    """

    def __init__(self, app: ASGIApp, forms: Mapping[str, type[Form]] = NO_FORMS) -> None:
        self.app = app
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            if begun:
                raise  # the server logs it and cuts the connection, so that the end is missed
            await self._answer(error, scope)(scope, receive, send)

    def _answer(self, error: Exception, scope: Scope) -> Response:
        path = scope.get("path", "")
        form = next((self._forms[each] for each in self._forms if path.startswith(each)), None)
        return _answer(error, scope) if form is None else _answer_in(form, error, scope)


def _answer(error: Exception, scope: Scope) -> Response:
    match error:
        case ApiError():
            return _refuse(error, error.refusal, scope)
        case InvalidInputError():
            return JSONResponse({"detail": unstructure(error.faults)}, 422)
        case ClientDisconnect():  # in the middle of the body: nobody reads this
            return Response(status_code=400)
    return _refuse(_api_error(error, scope), Refusal, scope)


def _answer_in(form: type[Form], error: Exception, scope: Scope) -> Response:
    match error:
        case ClientDisconnect():
            return Response(status_code=400)
        case InvalidInputError():
            return _refuse(form.malformed(error), form, scope)
    return _refuse(_api_error(error, scope), form, scope)


def _refuse(error: ApiError, form: type[Form], scope: Scope) -> Response:
    if error.logged:
        log_refusal(error.logged, HTTPConnection(scope))
    headers = form.headers_of(error, scope)
    return JSONResponse(unstructure(form.of(error)), error.status, headers)


def _api_error(error: Exception, scope: Scope) -> ApiError:
    match error:
        case ApiError():
            return error
        case HTTPException():  # Starlette's own: no such path, or not with this method
            return OtherError(error.status_code, error.detail, error.headers or {})
        case DatabaseAwayError():
            logger.warning("%s", error)
            return UnavailableError("The database can't be reached, please try again")
    logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return OtherError(500, "Internal Server Error", {})
