"""What clients send, of all that OpenAI's API knows, and what they are told of models."""

from typing import Annotated, Any, ClassVar, Literal

from attrs import frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.streams.histories import MESSAGES_LIMIT

NAME_LIMIT = 255
OTHERS = "What is not described here is ignored."

MODEL_LIMIT = 511  # a config's name, `@` and the name of whom it belongs to
ModelId = Annotated[str, Meta(max_length=MODEL_LIMIT, description="One of `/v1/models`.")]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Refused = Annotated[Any, Meta(description="Refused, unless it asks for nothing.")]

type Role = Literal["user", "assistant", "system", "developer", "tool", "function"]


@frozen
class FileReference:
    """A file of the user's, by its id."""

    file_id: str | None = None


@frozen
class ContentPart:
    """A part of a message: a text, or a file of the user's by its id."""

    type: str
    text: str | None = None
    file: FileReference | None = None
    file_id: str | None = None


@frozen
class ChatMessage:
    """A message of a conversation; those of tools are passed over."""

    role: Role
    content: str | list[ContentPart] | None = None


@frozen
class StreamOptions:
    """What a stream tells besides."""

    include_usage: bool | None = None


@frozen
class Metadata:
    """What the client says of its request."""

    session_id: Annotated[str, Meta(max_length=NAME_LIMIT)] | None = None


@frozen
class NewCompletion:
    """A conversation whose last message of the user is to be answered."""

    example: ClassVar[Json] = {
        "model": "quick",
        "messages": [{"role": "user", "content": "What is the time?"}],
    }

    model: ModelId
    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=MESSAGES_LIMIT)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    metadata: Metadata | None = None
    n: int | None = None
    tools: Refused = None
    functions: Refused = None
    logprobs: Refused = None
    audio: Refused = None
    modalities: Refused = None
    response_format: Refused = None


@frozen
class InputItem:
    """A message, or something else of an earlier turn, which is passed over."""

    type: str | None = None
    role: Role | None = None
    content: str | list[ContentPart] | None = None


@frozen
class NewResponse:
    """A text, or a conversation whose last message of the user is to be answered."""

    example: ClassVar[Json] = {"model": "quick", "input": "What is the time?"}

    model: ModelId
    input: str | Annotated[list[InputItem], Meta(min_length=1, max_length=MESSAGES_LIMIT)]
    instructions: str | None = None
    stream: bool | None = None
    temperature: Temperature | None = None
    metadata: Metadata | None = None
    tools: Refused = None
    text: Refused = None
    previous_response_id: Refused = None
    conversation: Refused = None
    prompt: Refused = None
    background: Refused = None


@frozen(slots=False)
class Model:
    """Who can be asked: a model config, a flow or an agent."""

    id: str
    created: int
    owned_by: Literal["config", "flow", "agent"]
    description: str
    object: Literal["model"] = "model"


@frozen(slots=False)
class Models:
    """All that the user can ask."""

    object: Literal["list"]
    data: list[Model]


@frozen
class ModelName:
    """A model, perhaps with slashes in its name."""

    model: Annotated[str, Meta(description="Which model.")]
