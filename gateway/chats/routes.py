"""Making, listing, reading, renaming and deleting chats."""

from urllib.parse import urlencode

import attrs

from gateway.chats import queries
from gateway.chats.closes import CLOSE_CODES
from gateway.chats.deletion import delete_chat as delete_whole_chat
from gateway.chats.frames import Cancellation, ClientMessage, Handshake, ValidationFailure
from gateway.chats.schemas import (
    ChatChanges,
    ChatPage,
    Chats,
    CreatedChat,
    History,
    HistoryPage,
    NewChat,
    SessionId,
)
from gateway.chats.socket import serve_frontend
from gateway.web.auth import Access
from gateway.web.channel import Channel
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, delete, get, patch, post
from gateway.web.paging import cut
from shared.domain.frames import FailureFrame, GapFrame, LogFrame, ResponseFrame
from shared.postgres.pool import connect


async def list_chats(call: Call[Nothing, ChatPage]) -> Chats:
    """List the user's chats, newest first."""
    page = call.parameters
    async with connect(call.database) as connection:
        return Chats(
            await queries.select_chats(connection, call.user_id, cut(page.limit), page.offset)
        )


async def create_chat(call: Call[NewChat, Nothing]) -> CreatedChat:
    """Make a chat before its first message."""
    new = call.body
    async with connect(call.database) as connection:
        chat = await queries.insert_chat(connection, call.user_id, new.session_id, new.title)
    if chat is None:
        raise BadRequestError(f"Chat with Session_id - '{new.session_id}' already exists")
    return chat


async def update_chat(call: Call[ChatChanges, SessionId]) -> CreatedChat:
    """Rename one of the user's chats."""
    id_ = call.parameters.session_id
    async with connect(call.database) as connection:
        chat = await queries.update_chat(connection, call.user_id, id_, call.body.title)
    if chat is None:
        raise BadRequestError(f"Chat with session_id {id_} does not exist")
    return chat


async def delete_chat(call: Call[Nothing, SessionId]) -> None:
    """Delete one of the user's chats with its messages, logs and requests.

    Files go too, but for those that belong to messages of other chats.
    """
    id_ = call.parameters.session_id
    async with connect(call.database) as connection:
        internal_names = await delete_whole_chat(connection, call.user_id, id_)
    if internal_names is None:
        raise BadRequestError(f"Chat with session_id: '{id_}' does not exist")
    await call.state["objects"].remove(*internal_names)


async def read_history(call: Call[Nothing, HistoryPage]) -> History:
    """Read a page of a chat's messages, newest first."""
    page = call.parameters
    size = cut(page.per_page)
    skipped = (page.page - 1) * size
    async with connect(call.database) as connection:
        total = await queries.count_messages(connection, call.user_id, page.session_id)
        items = (
            await queries.select_messages(connection, call.user_id, page.session_id, size, skipped)
            if skipped < total
            else []
        )
    last = -(-total // size)
    return History(
        total_count=total,
        next_page=_page_url(call, page.page + 1) if page.page < last else None,
        previous_page=_page_url(call, page.page - 1) if 1 < page.page <= last + 1 else None,
        items=items,
    )


def _page_url(call: Call[Nothing, HistoryPage], number: int) -> str:
    asked = call.parameters
    query = {"session_id": asked.session_id, "per_page": asked.per_page, "page": number}
    user = {"user_id": asked.user_id} if asked.user_id else {}
    return call.address(urlencode({**query, **user}))


operations = [
    get("/api/chats", list_chats, ChatPage, Chats, fails=False),
    post("/api/chats", create_chat, NewChat, CreatedChat, names={"session_id": "/session_id"}),
    get("/api/chat", read_history, HistoryPage, History, access=Access.USER_OR_SERVICE),
    patch("/api/chat", update_chat, ChatChanges, SessionId, CreatedChat),
    # Without a connection: the storage of its files may be slow.
    attrs.evolve(delete("/api/chat", delete_chat, SessionId), lends=False),
]
sockets = [
    Channel(
        path="/frontend/ws",
        handler=serve_frontend,
        query=Handshake,
        takes=[ClientMessage, Cancellation],
        gives=[LogFrame, ResponseFrame, FailureFrame, GapFrame, ValidationFailure],
        closes=CLOSE_CODES,
    )
]
