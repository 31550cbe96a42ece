"""Multipart forms from the socket, part by part: nothing is held but what the reader keeps."""

from collections.abc import AsyncGenerator, AsyncIterator

from attrs import define, field, frozen
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from gateway.web.errors import BadRequestError

MAX_PARTS = 20


@frozen
class Part:
    """The head of a part; a file has a filename, a text field has none."""

    name: str
    filename: str | None
    content_type: str | None


@frozen
class _End:
    """A part is over."""


type _Event = Part | bytes | _End


def is_multipart(request: Request) -> bool:
    """Whether the body is a multipart form."""
    return _content_type(request)[0] == b"multipart/form-data"


async def read_parts(request: Request) -> AsyncGenerator[tuple[Part, AsyncIterator[bytes]]]:
    """Each part with its content, which is there until the next part is asked for.

    Raises BadRequestError for what is no such form, and what reading the request raises.
    """
    events = _read_events(request)
    count = 0
    async for event in events:
        if isinstance(event, Part):
            count += 1
            if count > MAX_PARTS:
                raise BadRequestError(f"The form must not have more than {MAX_PARTS} parts")
            yield event, _content(events)


async def _content(events: AsyncIterator[_Event]) -> AsyncIterator[bytes]:
    async for event in events:
        if isinstance(event, bytes):
            yield event
        else:
            return


async def _read_events(request: Request) -> AsyncIterator[_Event]:
    collector = _Collector()
    boundary = _content_type(request)[1].get(b"boundary", b"")
    try:
        parser = collector.parser(boundary)
        async for chunk in request.stream():
            parser.write(chunk)
            for event in collector.take():
                yield event
    except FormParserError as error:
        raise BadRequestError(f"The form is malformed: {error}") from None
    if not collector.ended:
        raise BadRequestError("The form is malformed: it ends in the middle")


def _content_type(request: Request) -> tuple[bytes, dict[bytes, bytes]]:
    return parse_options_header(request.headers.get("content-type"))


@define
class _Collector:
    """What the parser has found since it was last asked."""

    ended: bool = False
    _events: list[_Event] = field(factory=list)
    _headers: dict[bytes, bytes] = field(factory=dict)
    _header: tuple[bytes, bytes] = (b"", b"")

    def parser(self, boundary: bytes) -> MultipartParser:
        """The parser that tells this."""
        callbacks = {
            "on_part_begin": self._headers.clear,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_part,
            "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
            "on_part_end": lambda: self._events.append(_End()),
            "on_end": self._end,
        }
        return MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def take(self) -> list[_Event]:
        """Its findings, once."""
        events, self._events = self._events, []
        return events

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _begin_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        filename, type_ = options.get(b"filename"), self._headers.get(b"content-type")
        part = Part(
            _decode(options.get(b"name", b"")),
            None if filename is None else _decode(filename),
            None if type_ is None else _decode(type_),
        )
        self._events.append(part)

    def _end(self) -> None:
        self.ended = True


def _decode(text: bytes) -> str:
    """UTF-8, as every browser sends it; whatever else is read as Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
