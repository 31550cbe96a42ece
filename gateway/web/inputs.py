"""Reading what a request carries: its parameters and its body, all faults of both at once.

What somebody typed into a form is refused by one sentence: front-ends can show no list.
"""

import asyncio
from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any, Literal

import attrs
from attrs import frozen
from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.types import Message, Receive

from gateway.web.errors import TooLargeError, TooSlowError
from gateway.web.sentences import refuse
from shared.codec.converter import structure
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.sizes import in_units
from shared.codec.surrogates import find_broken_texts
from shared.codec.text import read_json

MAX_BODY_BYTES = 1024 * 1024
BODY_SECONDS = 30.0

type BodyFormat = Literal["json", "form", "multipart", "raw"]
type Data = bytes | str | dict[str, Any]  # JSON, a text of another type, or the fields of a form


@frozen
class Nothing:
    """No body, or no parameters."""


async def read_data(
    request: Request, body: type, body_format: BodyFormat, most_bytes: int = MAX_BODY_BYTES
) -> Data:
    """What the body holds, unchecked. Raises TooLargeError, TooSlowError or InvalidInputError.

    No connection is to be held meanwhile: the sender decides how long it takes.
    """
    if body is Nothing:
        return b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_data(request, body_format, most_bytes)
    except TimeoutError:
        raise TooSlowError(f"The body took more than {BODY_SECONDS:g} seconds") from None


def check_inputs[Body, Parameters](
    request: Request,
    data: Data,
    body: type[Body],
    parameters: type[Parameters],
    refuse: Callable[[list[Fault]], Exception] = refuse,
) -> tuple[Body, Parameters]:
    """The checked body and parameters.

    Raises what the faults of both become: InvalidInputError, or by default BadRequestError for
    what was typed wrong.
    """
    faults: list[Fault] = []
    given_parameters = (
        parameters()
        if parameters is Nothing
        else collect(faults, _read_parameters, request, parameters)
    )
    given_body = body() if body is Nothing else collect(faults, read_body, data, body)
    if given_parameters is None or given_body is None:
        raise refuse(faults)
    return given_body, given_parameters


def collect[Input, T](faults: list[Fault], read: Any, given: Input, into: type[T]) -> T | None:
    """What `read` makes of the input, or None: its faults are among `faults` then."""
    try:
        result: T = read(given, into)
    except InvalidInputError as error:
        faults.extend(error.faults)
        return None
    return result


def _read_parameters[T](request: Request, parameters: type[T]) -> T:
    query = request.scope["query_string"]
    given = {**request.query_params, **request.path_params} if query else request.path_params
    try:
        return structure(given, parameters)
    except InvalidInputError as error:
        faults = [_located(fault, request.path_params) for fault in error.faults]
        raise InvalidInputError(faults) from None


def _located(fault: Fault, path: Mapping[str, Any]) -> Fault:
    place = "path" if fault.loc[0] in path else "query"
    given = None if fault.type == "missing" else fault.input
    return attrs.evolve(fault, loc=(place, *fault.loc), input=given)


def read_body[T](data: Data, body: type[T]) -> T:
    """The body of JSON or of form fields. Raises InvalidInputError."""
    try:
        parsed = _parse_json(data) if isinstance(data, bytes) else data
        return structure(parsed, body)
    except InvalidInputError as error:
        faults = [_in_body(fault, is_form=isinstance(data, dict)) for fault in error.faults]
        raise InvalidInputError(faults) from None


def _in_body(fault: Fault, *, is_form: bool) -> Fault:
    given = None if is_form and fault.type == "missing" else fault.input
    return attrs.evolve(fault, loc=("body", *fault.loc), input=given)


def _parse_json(data: bytes) -> object:
    if not data:
        raise InvalidInputError([Fault("missing", (), "Field required", None)])
    try:
        return read_json(data)
    except JSONDecodeError as error:
        fault = Fault("json_invalid", (error.pos,), "JSON decode error", {})
        raise InvalidInputError(find_broken_texts(data) or [fault]) from None


async def _read_data(request: Request, body_format: BodyFormat, most_bytes: int) -> Data:
    too_large = f"What is sent must not be larger than {in_units(most_bytes)}"
    bounded = bound(request, most_bytes, TooLargeError(too_large))
    if body_format == "form":
        return await _read_form(bounded)
    body = await bounded.body()
    return body if _is_json(request) or not body else body.decode(errors="replace")


def _is_json(request: Request) -> bool:
    """Whether the body is said to be JSON, or nothing is said of it."""
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind in {b"", b"application/json"} or kind.endswith(b"+json")


def bound(request: Request, limit: int, error: TooLargeError) -> Request:
    """The request, but this error for a body of more bytes: at once, or when they come."""
    if int(request.headers.get("content-length", "0")) > limit:
        raise error
    return Request(request.scope, _counted(request.receive, limit, error))


def _counted(receive: Receive, limit: int, error: TooLargeError) -> Receive:
    """Count what arrives: a chunked body says no length."""
    size = 0

    async def receive_counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise error
        return message

    return receive_counted


async def _read_form(request: Request) -> dict[str, Any]:
    _refuse_charset(request.headers.get("content-type", ""))
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _refuse_charset(content_type: str) -> None:
    """Parts would be decoded by whatever codec the sender names, some of them quadratic."""
    _, options = parse_options_header(content_type)
    if options.get(b"charset", b"utf-8").lower() not in {b"utf-8", b"utf8"}:
        message = "Value error, the charset must be utf-8"
        fault = Fault("value_error", ("header", "content-type"), message, content_type)
        raise InvalidInputError([fault])
