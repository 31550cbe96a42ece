"""What is asked by a message of A2A."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from a2a.helpers.proto_helpers import get_data_parts
from a2a.types import Message, Part, Role, SendMessageRequest
from a2a.utils.errors import (
    ContentTypeNotSupportedError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
)
from a2a.utils.task import validate_history_length

from gateway.published.queries import Published
from gateway.published.tasks import CONTEXT_NAME, MESSAGE_NAME
from gateway.streams.asking import FILES_LIMIT, message_of, session_of
from gateway.streams.questions import Question
from shared.codec.sizes import in_units
from shared.codec.text import write_json

ORIGIN = "a2a"
ID_LIMIT = 255  # characters of what clients call messages and sessions
PARTS_LIMIT = 200  # of a message
EXACT_BELOW = 2**53  # below it each whole number is one in binary64
URN = "urn:uuid:"  # RFC 9562, 4

NO_USER = "message.role must be ROLE_USER: an agent is asked by its user"
NO_TEXT = "There is nothing to answer: the message has neither a text nor a file"
NUL = "A text must have no NUL character"
TOO_MANY_PARTS = f"A message must not have more than {PARTS_LIMIT} parts"
TOO_MANY_FILES = f"A message must not have more than {FILES_LIMIT} files"
NO_BYTES = (
    "Files can't be sent with a message: `POST /files` takes them, and a part names one by its "
    "url, 'urn:uuid:' and the id"
)
NO_DATA = "Data can't be taken: the master agent is asked with a text"
NO_ARGUMENTS = "Data must be one object, and stand alone: what the agent is called with"
NO_FILE = "The url of a part must name a file of yours here: 'urn:uuid:' and its id"
NO_PUSH = "Push notifications are not sent: follow the task, or ask for it"


def question_of(
    published: Published, params: SendMessageRequest, most_bytes: int, files_url: str
) -> Question:
    """The question. Raises errors of A2A."""
    message, configuration = params.message, params.configuration
    if configuration.HasField("task_push_notification_config"):
        raise PushNotificationNotSupportedError(NO_PUSH)
    validate_history_length(configuration)
    if message.role != Role.ROLE_USER:
        raise InvalidParamsError(NO_USER)
    _check_name("messageId", message.message_id)
    _check_name("contextId", message.context_id)
    if len(message.parts) > PARTS_LIMIT:
        raise InvalidParamsError(TOO_MANY_PARTS)
    owner = published.owner
    session_id = session_of(owner, message.context_id) if message.context_id else uuid4()
    has_arguments = any(part.HasField("data") for part in message.parts)
    text = _arguments_of(message, published) if has_arguments else _text_of(message)
    _check_text(text, most_bytes)
    return Question(
        user_id=owner,
        session_id=session_id,
        message=text,
        config_name=published.what.config_name,
        asked_id=published.what.asked_id,
        has_arguments=has_arguments,
        file_ids=_files_of(message, files_url),
        message_id=message_of(session_id, message.message_id),
        origin=ORIGIN,
        publication_id=published.id,
        named=_named(message),
    )


def _check_name(field: str, name: str) -> None:
    if "\x00" in name:
        raise InvalidParamsError(f"message.{field} must have no NUL character")
    if len(name) > ID_LIMIT:
        raise InvalidParamsError(f"message.{field} must have at most {ID_LIMIT} characters")


def _named(message: Message) -> dict[str, str]:
    names = {MESSAGE_NAME: message.message_id, CONTEXT_NAME: message.context_id}
    return {field: name for field, name in names.items() if name}


def _arguments_of(message: Message, published: Published) -> str:
    """What the agent, or the first of the flow, is called with, as JSON."""
    if published.what.asked_id is None:
        raise ContentTypeNotSupportedError(NO_DATA)
    others = [part for part in message.parts if not part.url]
    match get_data_parts(others):
        case [dict(arguments)] if len(others) == 1:
            return write_json(_narrow(arguments)).decode()
    raise InvalidParamsError(NO_ARGUMENTS)


def _narrow(value: Any) -> Any:
    """Whole numbers as such: on their way through the package they have become others."""
    match value:
        case float() if value.is_integer() and abs(value) <= EXACT_BELOW:
            return int(value)
        case dict():
            return {name: _narrow(each) for name, each in value.items()}
        case list():
            return [_narrow(each) for each in value]
    return value


def _text_of(message: Message) -> str:
    text = "\n".join(_texts(message.parts))
    if not text and not any(part.url for part in message.parts):
        raise InvalidParamsError(NO_TEXT)
    return text


def _check_text(text: str, most_bytes: int) -> None:
    if "\x00" in text:
        raise InvalidParamsError(NUL)
    if len(text.encode()) > most_bytes:
        raise InvalidParamsError(f"A message must have at most {in_units(most_bytes)}")


def _texts(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        match part.WhichOneof("content"):
            case "text":
                _check_media_type(part)
                yield part.text
            case "raw":
                raise ContentTypeNotSupportedError(NO_BYTES)
            case None:
                raise InvalidParamsError("A part must have a text or the url of a file")


def _check_media_type(part: Part) -> None:
    if part.media_type and not part.media_type.lower().startswith("text/"):
        shown = part.media_type[:ID_LIMIT]
        raise ContentTypeNotSupportedError(f"A text of the type {shown!r} can't be taken")


def _files_of(message: Message, files_url: str) -> list[UUID]:
    urls = [part.url for part in message.parts if part.url]
    if len(urls) > FILES_LIMIT:
        raise InvalidParamsError(TOO_MANY_FILES)
    return [*dict.fromkeys(_file_id(url, files_url) for url in urls)]


def _file_id(url: str, files_url: str) -> UUID:
    try:
        return UUID(url.removeprefix(URN).removeprefix(files_url))
    except ValueError:
        raise ContentTypeNotSupportedError(NO_FILE) from None
