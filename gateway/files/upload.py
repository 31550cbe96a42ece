"""A form with a file, from the socket into the storage."""

import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from uuid import UUID

from attrs import define, field, frozen
from starlette.requests import Request

from gateway.files.objects import Objects
from gateway.files.quota import Allowance
from gateway.files.schemas import FileOrigin
from gateway.web.errors import BadRequestError, TooLargeError
from gateway.web.inputs import MAX_BODY_BYTES, bound, collect, read_body
from gateway.web.multipart import Part, is_multipart, read_parts
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.sizes import in_units

MAX_NAME_CHARACTERS = 255
MAX_SUFFIX_CHARACTERS = 16
MAX_FIELD_BYTES = 1024
MIMETYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?: *; *[\w.+-]+=(?:[\w.+-]+|\"[\w .+:/-]*\"))*", re.ASCII)
MAX_MIMETYPE_CHARACTERS = 255
UNKNOWN_TYPE = "application/octet-stream"


@frozen
class Upload:
    """A file that is in the storage."""

    name: str
    internal_name: str
    mimetype: str
    size: int
    origin: FileOrigin


@define
class _Form:
    """What has come so far."""

    name: str | None = None
    internal_name: str | None = None
    mimetype: str = UNKNOWN_TYPE
    size: int = 0
    fields: dict[str, str] = field(factory=dict)


async def receive_upload(
    request: Request, objects: Objects, id_: UUID, allowance: Allowance
) -> Upload:
    """Store the form's file; when it raises, nothing is left of it.

    Raises InvalidInputError, BadRequestError, the allowance's TooLargeError, StorageAwayError,
    StorageFullError, DatabaseAwayError, and ClientDisconnect.
    """
    form = _Form()
    try:
        if is_multipart(request):
            # The fields may come after the file: all is read before anything is checked.
            bounded = bound(request, allowance.most + MAX_BODY_BYTES, allowance.error)
            async for part, content in read_parts(bounded):
                if part.filename:
                    await _receive_file(form, part, content, objects, id_, allowance)
                else:
                    form.fields[part.name] = await _read_field(content)
        return _check(form)
    except BaseException:
        if form.internal_name is not None:
            await objects.remove(form.internal_name)
        raise


async def _receive_file(
    form: _Form,
    part: Part,
    content: AsyncIterator[bytes],
    objects: Objects,
    id_: UUID,
    allowance: Allowance,
) -> None:
    assert part.filename is not None
    if part.name != "file":
        return
    if form.name is not None:
        raise BadRequestError("Only one file can be uploaded at a time")
    form.name = check_name(part.filename)
    form.mimetype = choose_type(part.content_type, part.filename)
    form.internal_name = make_internal_name(id_, part.filename)
    form.size = await objects.put(form.internal_name, _limited(content, allowance))


async def _limited(content: AsyncIterator[bytes], allowance: Allowance) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in content:
        size += len(chunk)
        if size > allowance.most:
            raise allowance.error
        yield chunk


async def _read_field(content: AsyncIterator[bytes]) -> str:
    data = b""
    async for chunk in content:
        data += chunk
        if len(data) > MAX_FIELD_BYTES:
            raise TooLargeError(f"A field must not be larger than {in_units(MAX_FIELD_BYTES)}")
    return data.decode(errors="replace")


def _check(form: _Form) -> Upload:
    faults: list[Fault] = []
    if form.name is None:
        faults.append(_no_file(form.fields.get("file")))
    origin = collect(faults, read_body, form.fields, FileOrigin)
    if form.name is None or form.internal_name is None or origin is None:
        raise InvalidInputError(faults)
    return Upload(form.name, form.internal_name, form.mimetype, form.size, origin)


def _no_file(text: str | None) -> Fault:
    if text is None:
        return Fault("missing", ("body", "file"), "Field required", None)
    message = "Value error, Expected UploadFile, received: <class 'str'>"  # the original's words
    return Fault("value_error", ("body", "file"), message, text)


def check_name(name: str) -> str:
    """The name as it came, for a name it stays. Raises BadRequestError."""
    if len(name) > MAX_NAME_CHARACTERS:
        raise BadRequestError(
            f"The name of a file must not have more than {MAX_NAME_CHARACTERS} characters"
        )
    if "\0" in name:
        raise BadRequestError("The name of a file must not contain NUL")
    return name


def choose_type(given: str | None, name: str) -> str:
    """The type that the sender gives, if it is one, or what the name suggests."""
    if given and len(given) <= MAX_MIMETYPE_CHARACTERS and MIMETYPE.fullmatch(given):
        return given
    guessed, packed = mimetypes.guess_type(PurePosixPath(name).name)
    return UNKNOWN_TYPE if guessed is None or packed else guessed


def make_internal_name(id_: UUID, name: str) -> str:
    """The id with the name's last suffix."""
    suffix = PurePosixPath(name).suffix.lower()
    return f"{id_}{re.sub('[^a-z0-9.]', '', suffix)[:MAX_SUFFIX_CHARACTERS].rstrip('.')}"
