"""Making, listing, reading, renaming and deleting chats."""

from urllib.parse import urlencode

import attrs
from starlette.responses import Response

from gateway.chats import queries, search
from gateway.chats.closes import CLOSE_CODES
from gateway.chats.deletion import delete_chat as delete_whole_chat
from gateway.chats.events import (
    EVENTS,
    WhichEvents,
    WhichSession,
    create_message,
    read_events,
)
from gateway.chats.frames import Cancellation, ClientMessage, Handshake, ValidationFailure
from gateway.chats.protocols import AcceptedFrame, DeltaFrame, ErrorFrame
from gateway.chats.schemas import (
    Chat,
    ChatChanges,
    ChatPage,
    Chats,
    CreatedChat,
    History,
    HistoryItem,
    HistoryPage,
    NewChat,
    SessionId,
)
from gateway.chats.socket import serve_frontend
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.channel import Channel
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing, patch, post
from gateway.web.operation import Operation
from gateway.web.paging import Page, Slice, cut
from gateway.web.told import Told
from shared.domain.frames import FailureFrame, GapFrame, LogFrame, ResponseFrame
from shared.notifications.channels import session_channel
from shared.notifications.formats import DELETED, encode_frames
from shared.postgres.pool import connect


async def list_chats(call: Call[Nothing, ChatPage]) -> Page[Chat]:
    """List the user's chats, newest first."""
    select = queries.select_all_chats if call.parameters.include_unlisted else queries.select_chats
    page = await call.read_page(lambda connection, part: select(connection, call.user_id, part))
    page.around = lambda _: Chats([])
    return page


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
    channel = session_channel(id_, call.user_id)
    call.state["notifications"].publish(channel, encode_frames(DELETED, []))
    await call.state["objects"].remove(*internal_names)


async def read_history(call: Call[Nothing, HistoryPage]) -> Page[HistoryItem]:
    """Read a page of a chat's messages, newest first.

    One that would be too large ends before; `next_page` goes on there.
    """
    asked = call.parameters
    part = Slice(cut(asked.per_page), (asked.page - 1) * cut(asked.per_page) + asked.offset)
    async with connect(call.database) as connection:
        total = await queries.count_messages(connection, call.user_id, asked.session_id)
    page = Page[HistoryItem]([], Told(HistoryItem))
    if part.offset < total:
        page = await call.read_page(
            lambda connection, part: queries.select_messages(
                connection, call.user_id, asked.session_id, part
            ),
            part,
        )
    last = -(-(total - asked.offset) // part.limit)

    def following(told: int) -> str | None:
        if told and told < min(part.limit, total - part.offset):
            return _page_url(call, asked.page, asked.offset + told)
        return _page_url(call, asked.page + 1, asked.offset) if asked.page < last else None

    def history(told: int) -> History:
        has_previous = 1 < asked.page <= last + 1
        return History(
            total_count=total,
            next_page=following(told),
            previous_page=_page_url(call, asked.page - 1, asked.offset) if has_previous else None,
            items=[],
        )

    page.following, page.around = following, history
    return page


def _page_url(call: Call[Nothing, HistoryPage], number: int, offset: int) -> str:
    asked = call.parameters
    query = {"session_id": asked.session_id, "per_page": asked.per_page, "page": number}
    more = {"user_id": asked.user_id, "offset": offset}
    return call.address(urlencode({**query, **{name: more[name] for name in more if more[name]}}))


operations = [
    *search.operations,
    listing("/api/chats", list_chats, ChatPage, Chats, fails=False),
    post("/api/chats", create_chat, NewChat, CreatedChat, names={"session_id": "/session_id"}),
    listing("/api/chat", read_history, HistoryPage, History, access=Access.USER_OR_SERVICE),
    patch("/api/chat", update_chat, ChatChanges, SessionId, CreatedChat),
    Operation(
        method="POST",
        path="/api/sessions/{session_id}/messages",
        handler=create_message,
        body=ClientMessage,
        parameters=WhichSession,
        result=AcceptedFrame,
        status=202,
        bounded=True,
    ),
    Operation(
        method="GET",
        path="/api/sessions/{session_id}/events",
        handler=read_events,
        parameters=WhichEvents,
        result=Response,
        responses={"200": EVENTS},
        bounded=True,
        lends=False,
    ),
    # Without a connection: the storage of its files may be slow.
    attrs.evolve(delete("/api/chat", delete_chat, SessionId), lends=False),
]
sockets = [
    Channel(
        path="/frontend/ws",
        handler=serve_frontend,
        query=Handshake,
        takes=[ClientMessage, Cancellation],
        gives=[
            LogFrame,
            ResponseFrame,
            FailureFrame,
            GapFrame,
            ValidationFailure,
            AcceptedFrame,
            DeltaFrame,
            ErrorFrame,
        ],
        closes=CLOSE_CODES,
    )
]
