"""The handshake of a front-end's socket: who asks, for which session, and from where on."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID, uuid4

from attrs import frozen
from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket

from gateway.chats.closes import (
    POLICY_VIOLATION,
    RESTARTING,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
)
from gateway.chats.frames import Handshake
from gateway.chats.protocols import WORDINGS, Wording
from gateway.state import State
from gateway.streams.asking import FOREIGN_SESSION
from gateway.streams.frame_queries import select_session
from gateway.web.auth import bind_holder, find_caller
from gateway.web.callers import Caller
from gateway.web.errors import InsufficientScopeError, TooManyRequestsError
from gateway.web.origins import is_welcome
from gateway.web.refusals import TOKEN, log_refusal
from gateway.web.scopes import CHATTING
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import DatabaseAwayError, connect

BAD_QUERY = "after is no seq, or protocol not 1 or 2"


@frozen
class Opening:
    """What a handshake asks for, and how far its session is."""

    caller: Caller
    session_id: UUID
    sent: int
    wording: Wording

    @property
    def user_id(self) -> UUID:
        """Whose it is."""
        return self.caller.user_id


class RefusedError(Exception):
    """The handshake is refused; with a code it is accepted and closed with that."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


async def check_handshake(websocket: WebSocket) -> Opening:
    """What may be opened. Raises RefusedError."""
    state = cast("State", websocket.state)
    if state["sockets"].is_leaving:
        raise RefusedError(RESTARTING, SERVICE_RESTART)
    if not is_welcome(websocket, state["settings"]):
        raise RefusedError("the origin is not welcome")
    query = QueryParams(websocket.scope["query_string"])  # the socket would keep its own
    given = {name: value for name, value in query.items() if value}
    whose = {name: value for name, value in given.items() if name in {"token", "session_id"}}
    asked = _read(whose, RefusedError("the token is not valid, or session_id is no UUID"))
    session_id = asked.session_id or uuid4()
    try:
        async with connect(state["database"]) as connection:
            caller = await find_caller(connection, websocket, state, asked.token)
            if caller is None or caller.agent_id is not None:
                bind_holder(state["settings"], asked.token)
                log_refusal(TOKEN, websocket)
                raise RefusedError("the token is not valid")
            caller.check_scopes(CHATTING)
            async with connect(state["database"]) as again:  # it may have been given back
                session = await select_session(again, caller.user_id, session_id)
    except InsufficientScopeError as error:
        raise RefusedError(error.detail) from None
    except TooManyRequestsError as error:
        raise RefusedError(error.detail, TRY_AGAIN_LATER) from None
    except DatabaseAwayError:
        raise RefusedError("the database can't be reached", TRY_AGAIN_LATER) from None
    if session is not None and not session.is_own:
        raise RefusedError(FOREIGN_SESSION, POLICY_VIOLATION)
    # Only now: a dead token is refused alike, whatever stands beside it.
    how = _read(given, RefusedError(BAD_QUERY, POLICY_VIOLATION))
    after = how.after
    last_seq = session.last_seq if session else 0
    # Ahead of the session, as where one was made anew, every frame would be taken for a repeat.
    sent = last_seq if after is None else min(after, last_seq)
    return Opening(caller, session_id, sent, WORDINGS[int(how.protocol)])


def _read(given: Mapping[str, str], otherwise: RefusedError) -> Handshake:
    try:
        return structure(given, Handshake)
    except InvalidInputError:
        raise otherwise from None
