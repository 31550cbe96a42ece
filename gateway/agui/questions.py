"""What is asked by the input of a run."""

from uuid import UUID

from databases.core import Connection

from gateway.agui.messages import ID_LIMIT, ThreadMessage, without_nul
from gateway.agui.schemas import RunAgentInput
from gateway.streams.asking import FILES_LIMIT, PROMPT_LIMIT, message_of, session_of
from gateway.streams.histories import newest
from gateway.streams.questions import Overrides, Past, Question
from gateway.streams.targets import Target, find_target
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.sizes import in_units

ORIGIN = "ag-ui"
NO_USER_MESSAGE = "There is nothing to answer: none of the messages is a user's"
NO_TEXT = "There is nothing to answer: the last message of a user has no text"
NO_MODEL = "forwardedProps.model must be a text: the name of a model config, an agent or a flow"
LONG_PROMPT = f"System messages and context must have at most {PROMPT_LIMIT:,} characters in all"
TOO_MANY_FILES = f"A message must not have more than {FILES_LIMIT} files"


async def question_of(call: Call[RunAgentInput, Nothing], connection: Connection) -> Question:
    """What is asked: the last message of a user. Raises BadRequestError, InvalidInputError."""
    given = call.body
    session_id, message = session_of(call.user_id, given.threadId), given.message
    if message is None:
        raise BadRequestError(NO_USER_MESSAGE)
    file_ids = [*message.file_ids]
    if not message.text and not file_ids:
        raise BadRequestError(NO_TEXT)
    if len(file_ids) > FILES_LIMIT:
        raise BadRequestError(TOO_MANY_FILES)
    _check(message.text, call.state["settings"].max_message_bytes)
    target = await _find_target(connection, call.user_id, given.forwardedProps)
    return Question(
        user_id=call.user_id,
        session_id=session_id,
        message=message.text,
        config_name=target.config_name if target else None,
        asked_id=target.asked_id if target else None,
        file_ids=file_ids,
        message_id=message_of(session_id, message.id),
        overrides=_overrides(given),
        history=newest([past for each in given.earlier if (past := _past(each))]),
        origin=ORIGIN,
    )


def _past(message: ThreadMessage) -> Past | None:
    match message.role:
        case "user":
            return Past("user", without_nul(message.text))
        case "assistant":
            return Past("master_agent", message.text)
    return None


def _overrides(given: RunAgentInput) -> Overrides:
    prompt, context = given.system_prompt, given.background
    if len(prompt or "") + len(context or "") > PROMPT_LIMIT:
        raise BadRequestError(LONG_PROMPT)
    return Overrides(system_prompt=prompt, context=context)


def _check(text: str, most_bytes: int) -> None:
    """Raises InvalidInputError for what can't be stored as a message."""
    if "\x00" in text:
        raise _fault("value_error", "Input should have no NUL character")
    if len(text.encode()) > most_bytes:
        raise _fault("too_long", f"Input should have at most {in_units(most_bytes)}")


def _fault(kind: str, told: str) -> InvalidInputError:
    return InvalidInputError([Fault(kind, ("body", "messages", "content"), told, None)])


async def _find_target(connection: Connection, owner: UUID, props: object) -> Target | None:
    """Who is to answer; None: whoever answers where nobody is named."""
    match props:
        case {"model": str(name)} if name:
            target = None if "\x00" in name else await find_target(connection, owner, name)
            if target is None:
                shown = name[:ID_LIMIT]
                raise BadRequestError(f"There is no model config, agent or flow named {shown!r}")
            return target
        case {"model": model} if model is not None and model != "":
            raise BadRequestError(NO_MODEL)
    return None
