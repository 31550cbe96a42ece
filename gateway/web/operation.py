"""One line of a route table: its handler, what it takes, what it gives and whom it lets in.

Handlers take a `Call` and return an object. The line names the classes of both; they parse the
input, make the answer and describe the API, and the type checker compares them with the handler.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

from attrs import frozen
from databases import Database
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.state import State
from gateway.web.auth import Access, Caller, authenticate
from gateway.web.inputs import BodyFormat, Nothing, read_inputs
from shared.converter import dump
from shared.database import connect


@frozen
class Call[Body, Parameters]:
    """A request that was checked."""

    body: Body
    parameters: Parameters
    caller: Caller | None
    state: State
    url: str

    @property
    def database(self) -> Database:
        """The pool; `connect` inside a handler lends the connection that checked the caller."""
        return self.state["database"]

    @property
    def user_id(self) -> UUID:
        """In whose name the caller acts; only where the operation does not let in anyone."""
        assert self.caller is not None
        return self.caller.user_id


@frozen(kw_only=True)
class Operation:
    """A method of a path. The first line of the handler's docstring is its summary."""

    method: str
    path: str
    handler: Callable[[Call[Any, Any]], Awaitable[object]]
    body: type = Nothing
    body_format: BodyFormat = "json"
    parameters: type = Nothing
    result: Any = None
    status: int = 200
    access: Access = Access.USER
    fails: bool = True  # whether it can answer 400
    waits: bool = False  # for others: the pool gets its connection back before the handler runs

    async def respond(self, request: Request) -> Response:
        """Check the request, call the handler and write what it returns."""
        state = cast("State", request.state)
        if self.access is Access.ANYONE:
            return await self._call(request, state, None)
        async with connect(state["database"]) as connection:
            caller = await authenticate(connection, request, state["settings"], self.access)
            if not self.waits:
                return await self._call(request, state, caller)
        return await self._call(request, state, caller)

    async def _call(self, request: Request, state: State, caller: Caller | None) -> Response:
        inputs: tuple[Any, Any] = await read_inputs(
            request, self.body, self.body_format, self.parameters
        )
        call: Call[Any, Any] = Call(*inputs, caller, state, str(request.url))
        result = await self.handler(call)
        if self.result is None:
            return Response(status_code=self.status)
        return Response(dump(result), self.status, media_type="application/json")

    def route(self) -> Route:
        """What Starlette routes to."""
        return Route(self.path, self.respond, methods=[self.method], name=self.name)

    @property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return self.handler.__name__


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


def post[Body, Result](
    path: str,
    handler: Callable[[Call[Body, Nothing]], Awaitable[Result]],
    body: type[Body],
    result: type[Result],
    *,
    access: Access = Access.USER,
    body_format: BodyFormat = "json",
    waits: bool = False,
) -> Operation:
    """Create something, or have something checked."""
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        body=body,
        body_format=body_format,
        result=result,
        access=access,
        waits=waits,
    )


def delete[Parameters](
    path: str,
    handler: Callable[[Call[Nothing, Parameters]], Awaitable[None]],
    parameters: type[Parameters],
) -> Operation:
    """Delete something."""
    return Operation(method="DELETE", path=path, handler=handler, parameters=parameters, status=204)
