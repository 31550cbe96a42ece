"""One line of a route table: its handler, what it takes, what it gives and whom it lets in.

Handlers take a `Call` and return an object. The line names the classes of both; they parse the
input, make the answer and describe the API, and the type checker compares them with the handler.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from functools import cached_property
from types import MappingProxyType
from typing import Any

import attrs
from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.state import State
from gateway.web.answer import Answer
from gateway.web.auth import Access, authenticate
from gateway.web.call import Call
from gateway.web.callers import Caller
from gateway.web.errors import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    Form,
    Refusal,
    StorageFullError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    UnauthorizedError,
    UnavailableError,
)
from gateway.web.inputs import MAX_BODY_BYTES, BodyFormat, Data, Nothing, check_inputs, read_data
from gateway.web.paging import Page
from gateway.web.scopes import ADMINISTERING, NO_KEY, Scopes, default_scopes
from gateway.web.sentences import refuse
from shared.codec.converter import dump
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import connect, give_back
from shared.telemetry.logging import bind_log_ids
from shared.telemetry.tracing import span

NOTHING_NAMED: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True)
class Operation:
    """A method of a path. The first line of the handler's docstring is its summary.

    A multipart body is not read here: it may be larger than memory, so its handler reads it from
    `call.request`, and so it does a raw one, which is JSON for somebody else's package. A handler
    whose result is a Response has made the whole answer, and `responses` describes what it makes.
    """

    method: str
    path: str
    handler: Callable[[Call[Any, Any]], Awaitable[object]]
    body: type = Nothing
    body_format: BodyFormat = "json"
    most_bytes: int = MAX_BODY_BYTES
    needs_body: bool = True  # False: without one, all of its fields have their defaults
    parameters: type = Nothing
    result: Any = None
    responses: Mapping[str, Any] = {}
    status: int = 200
    further_results: Mapping[int, type] = {}  # what it may answer besides, by status
    access: Access = Access.USER
    scopes: Scopes | None = None  # of API keys, each of which opens it; None: by its method
    fails: bool = True  # whether it can answer 400
    names: Mapping[str, str] = NOTHING_NAMED  # a parameter, and where in the result its value is
    refusal: type[Form] = Refusal
    old_place: str = ""  # what sets its id apart, where another path is the one to use
    bounded: bool = False  # whether it can answer 429, with Retry-After
    stores: bool = False  # files, and whether it can answer 507
    further_errors: Sequence[type[ApiError]] = ()
    rest: str = ""  # the parameter of the path that may have slashes
    lends: bool = True  # the connection; not to a handler that waits for more than the database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as an application of ASGI."""
        async with AsyncExitStack() as held:
            response = await self.respond(Request(scope, receive, send), held)
            await response(scope, receive, send)

    async def respond(self, request: Request, held: AsyncExitStack) -> Response:
        """Check the request, call the handler and write what it returns."""
        with span(self.name, headers=request.headers):
            try:
                return await self._respond(request, held)
            except ApiError as error:
                error.refusal = self.refusal
                raise

    async def _respond(self, request: Request, held: AsyncExitStack) -> Response:
        state: State = request.scope["state"]
        database = state["database"]
        if self.access is Access.ANYONE:
            data = await self._read(request)
            return await self._call(request, state, None, data, held)
        async with connect(database) as connection:
            caller = await authenticate(connection, request, state, self.access)
            bind_log_ids(user_id=caller.user_id)
            caller.check_scopes(self.opened_by)
            if not self.lends or self._parsed is not Nothing:
                await give_back(database)  # who sends slowly keeps it from nobody
            async with self._room_for_body(request, caller, state):
                data = await self._read(request)
                if not self.lends:
                    return await self._call(request, state, caller, data, held)
                turns = state["turns"]
                if turns.must_wait(caller.user_id, self.name):
                    await give_back(database)
                await held.enter_async_context(turns.calls.turn(caller.user_id))
                async with turns.with_connection(caller.user_id, self.name):
                    return await self._call(request, state, caller, data, held)

    def _room_for_body(
        self, request: Request, caller: Caller, state: State
    ) -> AbstractAsyncContextManager[None]:
        """What a body needs that may be larger than others: of one that is sent, its size."""
        if self.most_bytes <= MAX_BODY_BYTES:
            return nullcontext()
        size = min(int(request.headers.get("content-length", self.most_bytes)), self.most_bytes)
        if size <= MAX_BODY_BYTES:
            return nullcontext()
        return state["turns"].with_large_body(caller.user_id, size)

    async def _read(self, request: Request) -> Data:
        return await read_data(request, self._parsed, self.body_format, self.most_bytes)

    async def _call(
        self,
        request: Request,
        state: State,
        caller: Caller | None,
        data: Data,
        held: AsyncExitStack,
    ) -> Response:
        given = data if data or self.needs_body else b"{}"
        refusing = refuse if self.refusal.malformed is None else InvalidInputError
        inputs: tuple[Any, Any] = check_inputs(
            request, given, self._parsed, self.parameters, refusing
        )
        call: Call[Any, Any] = Call(*inputs, caller, state, request, held)
        match await self.handler(call):
            case Response() as response:
                return response
            case Page() as page:
                return await self._tell(call, page)
            case None if self.result is None:
                return Response(status_code=self.status)
            case result:
                return Answer([dump(result)], self.status)

    async def _tell(self, call: Call[Any, Any], page: Page[Any]) -> Response:
        await give_back(call.database)
        async with call.state["turns"].writing if page.is_large else nullcontext():
            pieces, told = await page.write()
        address = call.next_address(page, told)
        headers = {"Link": f'<{address}>; rel="next"'} if address else {}  # RFC 8288
        return Answer(pieces, self.status, headers)

    @cached_property
    def _parsed(self) -> type:
        """The class that the body becomes here; a multipart or raw one is its handler's."""
        return Nothing if self.body_format in {"multipart", "raw"} else self.body

    @property
    def errors(self) -> list[type[Exception]]:
        """What a caller may be told in place of the result; each class knows its status."""
        service = self.access.lets_in_services
        takes_body = self.body is not Nothing
        takes_any = takes_body or self.parameters is not Nothing or service
        tells_faults = self.refusal.malformed is None
        possible: dict[type[Exception], bool] = {
            BadRequestError: self.fails or service or (takes_any and not tells_faults),
            UnauthorizedError: self.access is not Access.ANYONE,
            ForbiddenError: self.access is not Access.ANYONE,
            TooSlowError: takes_body,
            TooLargeError: takes_body,
            InvalidInputError: takes_any and tells_faults,
            TooManyRequestsError: self.bounded or self.access is not Access.ANYONE,
            UnavailableError: True,
            StorageFullError: self.stores,
        }
        return [
            *(error for error, is_possible in possible.items() if is_possible),
            *self.further_errors,
        ]

    @property
    def is_paged(self) -> bool:
        """Whether its answer may be a part that says where the next is."""
        return "offset" in attrs.fields_dict(self.parameters)

    @cached_property
    def opened_by(self) -> Scopes:
        """The scopes of API keys, each of which opens it."""
        if self.access is Access.ANYONE:
            return NO_KEY
        if self.scopes is not None:
            return self.scopes
        is_for_admins = self.access is Access.ADMIN
        return ADMINISTERING if is_for_admins else default_scopes(self.method)

    def route(self) -> Route:
        """What Starlette routes to."""
        path = self.path.replace(f"{{{self.rest}}}", f"{{{self.rest}:path}}")
        return Route(path, self, methods=[self.method], name=self.name)

    @cached_property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return self.handler.__name__
