"""What is asked by the body of an invocation, and whether it can be."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4, uuid5

from gateway.invocations.errors import ConflictError
from gateway.invocations.schemas import Invocation
from gateway.streams.questions import Question
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from shared.codec.sizes import in_units
from shared.codec.text import write_json
from shared.domain.agents import required_parameters
from shared.domain.asked import AwayError, Member, NotAskableError, line_up

ORIGIN = "invocation"
NOTHING_ASKED = "Either 'message' or 'arguments' must be given, and not both"


def question_of(call: Call[Invocation, Any], asked_id: UUID) -> Question:
    """What is asked, whoever it is that is asked. Raises BadRequestError.

    Without a session it has one of its own, which is the same where the same message comes again.
    """
    body, user_id = call.body, call.user_id
    message = body.message if body.arguments is None else write_json(body.arguments).decode()
    if message is None or (body.message is not None and body.arguments is not None):
        raise BadRequestError(NOTHING_ASKED)
    check_size(call, message.encode())
    return Question(
        user_id=user_id,
        session_id=body.session_id or _new_session(user_id, asked_id, body.message_id),
        message=message,
        file_ids=body.files,
        message_id=body.message_id,
        asked_id=asked_id,
        has_arguments=body.arguments is not None,
        origin=None if body.session_id else ORIGIN,
    )


def check_size(call: Call[Any, Any], asked: bytes) -> None:
    """Raises BadRequestError for more than a message may have."""
    most_bytes = call.state["settings"].max_message_bytes
    if len(asked) > most_bytes:
        raise BadRequestError(f"What is asked must have at most {in_units(most_bytes)}")


def _new_session(user_id: UUID, asked_id: UUID, message_id: UUID | None) -> UUID:
    return uuid4() if message_id is None else uuid5(user_id, f"{asked_id} {message_id}")


def check_members(members: Sequence[Member], arguments: Mapping[str, Any] | None) -> None:
    """Raises ConflictError, BadRequestError where they can't be asked so."""
    try:
        line_up(members, with_arguments=arguments is not None)
    except AwayError as error:
        raise ConflictError(str(error)) from None
    except NotAskableError as error:
        raise BadRequestError(str(error)) from None
    if arguments is None:
        return
    first = members[0]
    required = required_parameters(first.input_parameters or {})
    if missing := [repr(name) for name in required if name not in arguments]:
        raise BadRequestError(f"The agent {first.alias} requires {', '.join(missing)}")
