"""What a client's body asks: the message, what came before it, and what it overrides."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from attrs import field, frozen
from starlette.datastructures import Headers

from gateway.completions.errors import RefusedError
from gateway.completions.schemas import (
    NAME_LIMIT,
    ChatMessage,
    ContentPart,
    InputItem,
    Metadata,
    NewCompletion,
    NewResponse,
)
from gateway.streams.asking import FILES_LIMIT, PROMPT_LIMIT, session_of
from gateway.streams.histories import newest
from gateway.streams.questions import Overrides, Past, Question
from gateway.streams.targets import Target
from shared.codec.sizes import in_units

ORIGIN = "openai"
SESSION_HEADER = "x-session-id"
OPEN_WEBUI_HEADER = "x-openwebui-chat-id"
NOT_KEPT = ("temporary:", "local:", "channel:")  # chats that Open WebUI does not keep either

TEXTS = {"text", "input_text", "output_text", "refusal"}
FILES = {"file", "input_file"}
INSTRUCTIONS = {"system", "developer"}

NO_QUESTION = "There is no message of the user"
NO_TOOLS = "Tools can't be given: the agents that are asked have their own"
NOTHING: tuple[Any, ...] = (None, False, [], {}, "")


@frozen
class Conversation:
    """A conversation as any of the bodies brings it."""

    message: str = field(repr=False)
    history: Sequence[Past] = field(repr=False)
    overrides: Overrides
    file_ids: list[UUID]

    def question(
        self, user_id: UUID, target: Target, name: str | None, message_bytes: int
    ) -> Question:
        """What is asked, in the session that was named. Raises RefusedError."""
        if len(self.message.encode()) > message_bytes:
            most = in_units(message_bytes)
            raise RefusedError(
                f"The message must have at most {most}", "messages", "context_length_exceeded"
            )
        return Question(
            user_id=user_id,
            session_id=session_of(user_id, name) if name else uuid4(),
            message=self.message,
            config_name=target.config_name,
            asked_id=target.asked_id,
            file_ids=self.file_ids,
            overrides=self.overrides,
            history=newest(self.history),
            origin=None if name else ORIGIN,
        )


def of_completion(body: NewCompletion) -> Conversation:
    """The conversation of a chat completion. Raises RefusedError."""
    _refuse_given({"tools": body.tools, "functions": body.functions}, NO_TOOLS)
    if body.n not in {None, 1}:
        raise RefusedError("There is one answer: 'n' must be 1", "n")
    _refuse_given({"logprobs": body.logprobs}, "There are no probabilities of tokens")
    is_text = body.modalities in (None, [], ["text"])
    _refuse_given(
        {"audio": body.audio, "modalities": None if is_text else body.modalities},
        "Answers are texts",
    )
    _refuse_formats("response_format", body.response_format)
    return _read(body.messages, "messages", body.temperature)


def of_response(body: NewResponse) -> Conversation:
    """The conversation of a response. Raises RefusedError."""
    _refuse_given({"tools": body.tools}, NO_TOOLS)
    kept = {
        name: getattr(body, name) for name in ("previous_response_id", "conversation", "prompt")
    }
    _refuse_given(kept, "Nothing is kept under such an id: 'metadata.session_id' names a session")
    _refuse_given({"background": body.background}, "An answer must be waited for")
    if isinstance(body.text, dict):
        _refuse_formats("text.format", body.text.get("format"))
    if isinstance(body.input, str):
        items = [ChatMessage("user", body.input)]
    else:
        items = [message for item in body.input if (message := _message_of(item))]
    instructions = [ChatMessage("system", body.instructions)] if body.instructions else []
    return _read([*instructions, *items], "input", body.temperature)


def session_name(metadata: Metadata | None, headers: Headers, *, is_streamed: bool) -> str | None:
    """The session that a client goes on in; None: one of its own. Raises RefusedError.

    Open WebUI names a chat also where it asks for its title, or for words to search by: it never
    streams these, and they are no part of the chat.
    """
    of_body = metadata.session_id if metadata else None
    name = of_body or headers.get(SESSION_HEADER)
    chat = headers.get(OPEN_WEBUI_HEADER, "")
    if not name and is_streamed and not chat.startswith(NOT_KEPT):
        name = chat
    if name and len(name) > NAME_LIMIT:
        raise RefusedError(f"A session's name must have at most {NAME_LIMIT} characters")
    return name or None


def _message_of(item: InputItem) -> ChatMessage | None:
    if item.role is None or item.type not in {None, "message"}:
        return None
    return ChatMessage(item.role, item.content)


def _refuse_given(parameters: Mapping[str, Any], why: str) -> None:
    for name, value in parameters.items():
        if value not in NOTHING:
            raise RefusedError(why, name, "unsupported_parameter")


def _refuse_formats(name: str, value: Any) -> None:
    kind = value.get("type") if isinstance(value, dict) else value
    if kind not in {None, "text"} if isinstance(kind, str | None) else True:
        raise RefusedError("Answers are texts, in no other format", name, "unsupported_parameter")


def _read(messages: Sequence[ChatMessage], place: str, temperature: float | None) -> Conversation:
    of_user = [at for at, message in enumerate(messages) if message.role == "user"]
    if not of_user:
        raise RefusedError(NO_QUESTION, place)
    last = _Said.of(messages[of_user[-1]], f"{place}.{of_user[-1]}")
    if not last.text:
        raise RefusedError("The last message of the user is empty", f"{place}.{of_user[-1]}")
    said = [_Said.in_texts(message) for message in messages]
    prompt = "\n\n".join(each.text for each in said if each.role in INSTRUCTIONS and each.text)
    if len(prompt) > PROMPT_LIMIT:
        raise RefusedError(
            f"System messages must have at most {PROMPT_LIMIT:,} characters in all", place
        )
    return Conversation(
        last.text,
        [*_past(said[: of_user[-1]])],
        Overrides(temperature, prompt or None),
        last.file_ids,
    )


def _past(said: Iterable["_Said"]) -> Iterable[Past]:
    for each in said:
        match each.role:
            case "user":
                yield Past("user", each.text)
            case "assistant":
                yield Past("master_agent", each.text)


@frozen
class _Said:
    """A message with its parts put together."""

    role: str
    text: str
    file_ids: list[UUID]

    @classmethod
    def of(cls, message: ChatMessage, place: str) -> "_Said":
        if isinstance(message.content, str) or message.content is None:
            return cls(message.role, message.content or "", [])
        said = [
            _read_part(part, f"{place}.content.{at}") for at, part in enumerate(message.content)
        ]
        files = [each for each in said if isinstance(each, UUID)]
        if len(files) > FILES_LIMIT:
            raise RefusedError(f"A message has at most {FILES_LIMIT} files", place)
        text = "".join(each for each in said if isinstance(each, str))
        return cls(message.role, text, [*dict.fromkeys(files)])

    @classmethod
    def in_texts(cls, message: ChatMessage) -> "_Said":
        """Without all else: what was refused once, as an image, is sent again with a history."""
        if isinstance(message.content, str) or message.content is None:
            return cls(message.role, message.content or "", [])
        texts = [part.text or "" for part in message.content if part.type in TEXTS]
        return cls(message.role, "".join(texts), [])


def _read_part(part: ContentPart, place: str) -> str | UUID:
    if part.type in TEXTS:
        return part.text or ""
    if part.type not in FILES:
        raise RefusedError(
            f"A part of the type '{part.type[:NAME_LIMIT]}' can't be taken: texts, and files by id",
            place,
        )
    id_ = (part.file.file_id if part.file else None) or part.file_id
    try:
        return UUID(id_ or "")
    except ValueError:
        raise RefusedError(
            "A file is named by the id that `POST /files` has answered", place
        ) from None
