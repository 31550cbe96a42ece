"""A stored file as an HTTP answer: RFC 9110 on conditions and ranges."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from attrs import frozen
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from gateway.files.disposition import attachment
from gateway.files.schemas import StoredFile
from gateway.files.upload import make_internal_name

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE | re.ASCII)

SENT: dict[str, Any] = {
    "ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match` and `If-Range`."},
    "Last-Modified": {"schema": {"type": "string"}, "description": "When it was uploaded."},
    "Content-Disposition": {
        "schema": {"type": "string"},
        "description": "Its name, as `filename*` (RFC 6266); an ASCII form of it as `filename`.",
    },
    "Accept-Ranges": {"schema": {"const": "bytes"}},
}
SPAN: dict[str, Any] = {
    "schema": {"type": "string", "pattern": r"^bytes (\d+-\d+|\*)/\d+$"},
    "description": "Which of how many bytes.",
}
CONTENT: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
DESCRIPTION: dict[str, Any] = {
    "200": {
        "description": "All of its bytes, with their type",
        "headers": SENT,
        "content": CONTENT,
    },
    "206": {
        "description": "The bytes of the `Range` that was asked for",
        "headers": {**SENT, "Content-Range": SPAN},
        "content": CONTENT,
    },
    "304": {"description": "The caller has it already", "headers": SENT},
    "416": {
        "description": "The range has none of its bytes",
        "headers": {"Content-Range": SPAN},
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}},
        },
    },
}
"""What `answer_file` makes, as OpenAPI describes it."""

type Read = Callable[[int, int], AsyncIterator[bytes]]
"""From the first byte to before the second number."""


@frozen
class Span:
    """The bytes from `start` to before `stop`."""

    start: int
    stop: int


def answer_file(request: Request, file: StoredFile, size: int, read: Read) -> Response:
    """The file, a range of it, or that the caller has it already."""
    headers = _headers(file)
    if _has_it(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(size)
        return Response(headers=headers, media_type=file.mimetype)
    span = _wanted_span(request.headers, headers, size)
    if span is None:
        return _send(Span(0, size), 200, headers, file.mimetype, read)
    if span.start >= span.stop:
        detail = {"detail": f"The file has {size} bytes, and none of them is in this range"}
        return JSONResponse(detail, 416, {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    return _send(span, 206, headers, file.mimetype, read)


def _send(
    span: Span, status: int, headers: dict[str, str], mimetype: str, read: Read
) -> StreamingResponse:
    headers["Content-Length"] = str(span.stop - span.start)
    return StreamingResponse(read(span.start, span.stop), status, headers, media_type=mimetype)


def _headers(file: StoredFile) -> dict[str, str]:
    """A file never changes, so its id is its tag."""
    name = make_internal_name(file.id, file.original_name)
    headers = {
        "ETag": f'"{file.id}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": attachment(file.original_name, name),
        "Cache-Control": "private, no-cache",
    }
    if file.created_at is not None:
        created_at = file.created_at.replace(tzinfo=UTC, microsecond=0)
        headers["Last-Modified"] = format_datetime(created_at, usegmt=True)
    return headers


def _has_it(headers: Headers, tag: str) -> bool:
    known = {
        each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")
    }
    return tag in known or "*" in known


def _wanted_span(headers: Headers, own: dict[str, str], size: int) -> Span | None:
    condition = headers.get("if-range")
    if condition is not None and condition not in {own["ETag"], own.get("Last-Modified")}:
        return None
    return parse_range(headers.get("range", ""), size)


def parse_range(text: str, size: int) -> Span | None:
    """The span of a single range, an empty one if the file has none of it; None: the whole file.

    Several ranges, other units and what is malformed are ignored, as the RFC allows.
    """
    match = RANGE.fullmatch(text.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return Span(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return Span(int(first), min(int(last) + 1, size) if last else size)
