"""Lines of route tables, in short: what each method does, and only what differs is said.

The type checker compares the classes that a line names with its handler.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs

from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import Form, Refusal
from gateway.web.inputs import BodyFormat, Nothing
from gateway.web.operation import NOTHING_NAMED, Operation
from gateway.web.paging import Page
from gateway.web.scopes import Scopes


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
    *,
    access: Access = Access.USER,
) -> Operation:
    """Delete something."""
    return Operation(
        method="DELETE",
        path=path,
        handler=handler,
        parameters=parameters,
        status=204,
        access=access,
    )
