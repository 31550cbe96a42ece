"""One line of a route table: its handler, what it takes, what it gives and whom it lets in.

Handlers take a `Call` and return an object. The line names the classes of both; they parse the
input, make the answer and describe the API, and the type checker compares them with the handler.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import attrs
from attrs import field, frozen
from databases import Database
from databases.core import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.state import State
from gateway.web.addresses import base_of
from gateway.web.answer import Answer
from gateway.web.auth import Access, authenticate
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
from gateway.web.inputs import (
    MAX_BODY_BYTES,
    BodyFormat,
    Data,
    Nothing,
    check_inputs,
    read_data,
)
from gateway.web.paging import MOST_BYTES, SMALL_BYTES, Page, Slice, cut
from gateway.web.scopes import ADMINISTERING, NO_KEY, Scopes, default_scopes
from gateway.web.sentences import refuse
from shared.codec.converter import dump
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import connect, give_back
from shared.telemetry.logging import bind_log_ids
from shared.telemetry.tracing import span

NOTHING_NAMED: Mapping[str, str] = MappingProxyType({})


@frozen
class Call[Body, Parameters]:
    """A request that was checked."""

    body: Body
    parameters: Parameters
    caller: Caller | None
    state: State
    request: Request
    held: AsyncExitStack = field(factory=AsyncExitStack)
    """What is kept until the answer is taken."""

    async def read_page[T](
        self,
        select: Callable[[Connection, Slice], Awaitable[Page[T]]],
        part: Slice | None = None,
    ) -> Page[T]:
        """Read a page of a list, by default the one that the parameters name.

        One that is large is read when there is room for it in memory. Raises TooManyRequestsError,
        UnavailableError.
        """
        asked: Any = self.parameters
        part = part or Slice(cut(asked.limit), asked.offset)
        replica = self.state["replica"]
        page = await replica.read(lambda connection: select(connection, part))
        if page.size <= SMALL_BYTES:
            return page
        await self.make_room(page.size)
        whole = attrs.evolve(part, most_bytes=MOST_BYTES)
        return await replica.read(lambda connection: select(connection, whole))

    async def make_room(self, size: int) -> None:
        """Wait until there is room for an answer of so many bytes, unless it is small.

        Raises TooManyRequestsError, UnavailableError.
        """
        if size > SMALL_BYTES:
            await give_back(self.database)
            turns = self.state["turns"]
            large = turns.with_large_answer(self.user_id, min(size, MOST_BYTES))
            await self.held.enter_async_context(large)

    def next_address(self, page: Page[Any], told: int) -> str | None:
        """Where the rest of a list is when so many things of the page are told, if there is any."""
        if page.following is not None:
            return page.following(told)
        counted = told - page.uncounted
        if not (counted > 0 and page.has_more):
            return None
        asked: Any = self.parameters
        given, names = self.request.query_params, {"user_id", *attrs.fields_dict(type(asked))}
        query = {name: given[name] for name in given if name in names}
        return self.address(urlencode({**query, "offset": asked.offset + counted}))

    def address(self, query: str) -> str:
        """The request's own address for clients, with another query.

        Without its host where no setting says that: RFC 3986, 4.2.
        """
        base = base_of(self.request, self.state["settings"])
        return f"{base}{self.request.scope['path']}?{query}"

    @property
    def database(self) -> Database:
        """The pool; `connect` inside a handler lends the connection that checked the caller."""
        return self.state["database"]

    def turn(self, operation: str) -> AbstractAsyncContextManager[None]:
        """A turn of the caller's, where none was lent: to be taken before a connection is.

        Raises TooManyRequestsError, UnavailableError.
        """
        return self.state["turns"].turn(self.user_id, operation)

    @property
    def user_id(self) -> UUID:
        """In whose name the caller acts; only where the operation does not let in anyone."""
        assert self.caller is not None
        return self.caller.user_id

    @property
    def agent_id(self) -> UUID | None:
        """The agent that calls in its creator's name, where it is one."""
        return None if self.caller is None else self.caller.agent_id


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
        with span(self.name, parent=request.headers.get("traceparent")):
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

    @property
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

    @property
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

    @property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return self.handler.__name__


def for_keys(operations: Sequence[Operation], *, reads: Scopes, writes: Scopes) -> list[Operation]:
    """Operations of a resource with the scopes that open them, but for lines that say their own."""
    return [
        each
        if each.scopes is not None
        else attrs.evolve(each, scopes=reads if each.method == "GET" else writes)
        for each in operations
    ]


def get[Parameters, Result](
    path: str,
    handler: Callable[[Call[Nothing, Parameters]], Awaitable[Result]],
    parameters: type[Parameters],
    result: type[Result],
    *,
    access: Access = Access.USER,
    fails: bool = True,
) -> Operation:
    """Read something."""
    return Operation(
        method="GET",
        path=path,
        handler=handler,
        parameters=parameters,
        result=result,
        access=access,
        fails=fails,
    )


def listing[Parameters, Thing](
    path: str,
    handler: Callable[[Call[Nothing, Parameters]], Awaitable[Page[Thing]]],
    parameters: type[Parameters],
    result: type,
    *,
    access: Access = Access.USER,
    fails: bool = True,
) -> Operation:
    """Read a list of things, or a class whose last field is one."""
    return get(path, handler, parameters, result, access=access, fails=fails)


def post[Body, Result](
    path: str,
    handler: Callable[[Call[Body, Nothing]], Awaitable[Result]],
    body: type[Body],
    result: type[Result],
    *,
    access: Access = Access.USER,
    body_format: BodyFormat = "json",
    refusal: type[Form] = Refusal,
    names: Mapping[str, str] = NOTHING_NAMED,
    bounded: bool = False,
    lends: bool = True,
) -> Operation:
    """Create something, or have something checked."""
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        body=body,
        body_format=body_format,
        result=result,
        refusal=refusal,
        names=names,
        access=access,
        bounded=bounded,
        lends=lends,
    )


def command[Body, Parameters, Result](
    path: str,
    handler: Callable[[Call[Body, Parameters]], Awaitable[Result]],
    body: type[Body],
    parameters: type[Parameters],
    result: type[Result],
) -> Operation:
    """Have something done to what the path names; a body may be left out."""
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        body=body,
        needs_body=False,
        parameters=parameters,
        result=result,
    )


def patch[Body, Parameters, Result](
    path: str,
    handler: Callable[[Call[Body, Parameters]], Awaitable[Result]],
    body: type[Body],
    parameters: type[Parameters],
    result: type[Result],
    *,
    access: Access = Access.USER,
    bounded: bool = False,
    lends: bool = True,
) -> Operation:
    """Change something."""
    return Operation(
        method="PATCH",
        path=path,
        handler=handler,
        body=body,
        parameters=parameters,
        result=result,
        access=access,
        bounded=bounded,
        lends=lends,
    )


def delete[Parameters](
    path: str,
    handler: Callable[[Call[Nothing, Parameters]], Awaitable[None]],
    parameters: type[Parameters],
) -> Operation:
    """Delete something."""
    return Operation(method="DELETE", path=path, handler=handler, parameters=parameters, status=204)
