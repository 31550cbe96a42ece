"""The wire format of the front-end's socket: what comes in, and what is wrong with it."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import attrs
import msgspec
from attrs import frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.streams.asking import FILES_LIMIT
from gateway.web.sentences import sentence
from shared.codec.converter import load, structure, unstructure
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.sizes import in_units
from shared.codec.text import write_json
from shared.domain.frames import FailureFrame, Response, failure

FRAME = "frame"  # where a field stands that a sentence names
VALIDATION_FAILED = "Message validation failed. Details: "
SHOWN_INPUT = 1000  # bytes of JSON; a longer input is not repeated

Name = Annotated[str, Meta(max_length=255)]
ConfigName = Annotated[str, Meta(max_length=511)]  # its own, `@` and of whom it belongs to


ValidationFailure = Annotated[
    str,
    Meta(
        title="ValidationFailure",
        description=(
            "A frame was malformed: all its faults as JSON after these words. Nothing was stored "
            "and the socket stays open."
        ),
        pattern=f"^{VALIDATION_FAILED}",
        examples=[f'{VALIDATION_FAILED}[{{"type": "missing", "loc": ["message"], "msg": "…"}}]'],
    ),
]


@frozen
class Handshake:
    """What the URL of a socket says; an empty value counts as none."""

    token: Annotated[str, Meta(description="A user's token.")]
    session_id: Annotated[UUID, Meta(description="The chat; a new one without it.")] | None = None
    after: (
        Annotated[int, Meta(ge=0, description="Send the frames whose `seq` is higher first.")]
        | None
    ) = None
    protocol: Annotated[
        Literal["1", "2"],
        Meta(
            description=(
                "2: frames say which message they are about, and answers are told as they are made."
            )
        ),
    ] = "1"


@frozen
class LlmChoice:
    """The model config that is to answer."""

    llm_name: ConfigName | None = None


@frozen
class ClientMessage:
    """A user's message.

    The config stands in `llm`, or at the top as the current front-end sends it; without one the
    user's newest is taken. One with the `message_id` of another message of its session starts
    nothing: it gets the same answer as that, unless this socket brings or brought it.
    """

    example: ClassVar[Json] = {"message": "What time is it in Kyiv?"}

    message: str
    llm: LlmChoice | None = None
    llm_name: ConfigName | None = None
    provider: Name | None = None
    files: Annotated[list[UUID], Meta(max_length=FILES_LIMIT)] | None = None
    message_id: UUID | None = None

    @property
    def config_name(self) -> str | None:
        """The config that was named, in whichever place."""
        return (self.llm.llm_name if self.llm else None) or self.llm_name or None


@frozen
class Cancellation:
    """The wish that a request ends now, unanswered; its end is told as that of any other."""

    type: Literal["cancel"]
    request_id: UUID


class InvalidCancellationError(InvalidInputError):
    """The wish that a request ends can't be understood, or names none of the user's."""


def frame_limit(message_bytes: int) -> int:
    """The bytes of the largest frame that may hold a message of so many bytes.

    JSON that escapes all that is not ASCII makes three bytes of one at most, but of control
    characters; names and ids of files stand beside the message.
    """
    return 3 * message_bytes + 64 * 1024


def parse_frame(frame: str | bytes, message_bytes: int) -> ClientMessage | Cancellation:
    """Read a frame whose message has so many bytes at most. Raises InvalidInputError."""
    if isinstance(frame, bytes):
        fault = Fault("string_type", (), "Input should be a text frame", None)
        raise InvalidInputError([fault])
    if _size(frame) > frame_limit(message_bytes):
        raise _too_long((), message_bytes)
    data = load(frame)
    if isinstance(data, dict) and data.get("type") == "cancel":
        return _read_cancellation(data)
    message = structure(data, ClientMessage)
    check_size(message, message_bytes)
    return message


def check_size(message: ClientMessage, message_bytes: int) -> None:
    """Raises InvalidInputError for a message of more bytes."""
    if _size(message.message) > message_bytes:
        raise _too_long(("message",), message_bytes)


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _too_long(loc: tuple[str, ...], message_bytes: int) -> InvalidInputError:
    told = f"Input should have at most {in_units(message_bytes)}"
    return InvalidInputError([Fault("too_long", loc, told, None)])


def _read_cancellation(data: object) -> Cancellation:
    try:
        return structure(data, Cancellation)
    except InvalidInputError as error:
        raise InvalidCancellationError(error.faults) from None


def unknown_request(request_id: UUID) -> InvalidCancellationError:
    """What is wrong with the cancellation of a request that the user does not have."""
    message = f"Request with id '{request_id}' does not exist"
    fault = Fault("value_error", ("request_id",), message, str(request_id))
    return InvalidCancellationError([fault])


def explain_faults(error: InvalidInputError) -> str:
    """The first of them in a sentence, for who sees an answer and no JSON."""
    first = error.faults[0]
    if first.type == "json_invalid":
        return "The message was not accepted: its frame is no JSON."
    if not first.loc:
        return f"The message was not accepted: {first.msg.replace('Input should', 'it must')}."
    return (
        f"The message was not accepted: {sentence(attrs.evolve(first, loc=(FRAME, *first.loc)))}."
    )


def describe_faults(shown: list[Fault]) -> str:
    """The text that answers a malformed frame."""
    details = msgspec.json.format(write_json(unstructure(shown)), indent=2).decode()
    return f"{VALIDATION_FAILED}{details}"


def shown_faults(error: InvalidInputError) -> list[Fault]:
    """All that is wrong with a frame, without inputs that are too long to be repeated."""
    return [attrs.evolve(fault, input=_shown(fault.input)) for fault in error.faults]


def read_message_id(text: str | bytes) -> UUID | None:
    """How its sender calls a message that may be malformed; None where that can't be read."""
    try:
        data = load(text)
        return structure(data.get("message_id") if isinstance(data, dict) else None, UUID)
    except InvalidInputError:
        return None


def refuse(session_id: UUID, request_id: UUID, reason: str) -> FailureFrame:
    """The frame for a message that could not be accepted; it is stored nowhere."""
    response = Response(
        is_success=False,
        execution_time=0.0,
        response=failure(reason),
        request_id=request_id,
        session_id=session_id,
    )
    return FailureFrame(response, None, error=reason)


def _shown(value: object) -> object:
    text = write_json(value)
    return value if len(text) <= SHOWN_INPUT else None
