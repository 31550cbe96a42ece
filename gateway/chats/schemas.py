"""What clients send about chats, and what they are told."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.streams.questions import TITLE_LIMIT
from gateway.web.examples import SESSION_ID
from gateway.web.paging import MOST, Limit, Offset
from gateway.web.texts import is_blank
from shared.codec.hooks import Rule
from shared.codec.rules import INTEGER_LIMIT


def _title_objection(title: str) -> str | None:
    if is_blank(title):
        return "Chat title must not be empty"
    if len(title) > TITLE_LIMIT:
        return f"Chat title must not be longer than {TITLE_LIMIT} symbols"
    return None


Title = Annotated[
    str, Rule(_title_objection), Meta(min_length=1, max_length=TITLE_LIMIT, pattern=r"\S")
]
WhichChat = Annotated[UUID, Meta(description="Which chat.")]
# The last one that a bigint can count the messages before.
PageNumber = Annotated[int, Meta(ge=1, le=INTEGER_LIMIT // MOST)]
PageSize = Annotated[int, Meta(ge=1)]


@frozen
class NewChat:
    """A chat to make before its first message."""

    example: ClassVar[Json] = {"title": "Times of the world", "session_id": SESSION_ID}

    title: Title
    session_id: UUID


@frozen
class ChatChanges:
    """What a chat is called from now on."""

    example: ClassVar[Json] = {"title": "Time in Kyiv"}

    title: Title


@frozen
class SessionId:
    """One chat."""

    session_id: WhichChat


@frozen(slots=False)
class Chat:
    """A chat."""

    session_id: UUID
    title: str
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class CreatedChat(Chat):
    """A new chat."""

    creator_id: UUID


@frozen(slots=False)
class Chats:
    """The user's chats, newest first."""

    chats: list[Chat]


@frozen
class ChatPage:
    """Which of the user's chats to list."""

    limit: Limit = 100
    offset: Offset = 0
    include_unlisted: Annotated[
        bool,
        Meta(description="Those too that were made of a history which its client keeps itself."),
    ] = False


@frozen
class HistoryPage:
    """Which messages of a chat to read. Service callers name the user."""

    session_id: WhichChat
    page: Annotated[PageNumber, Meta(description="Which page; the first is 1.")] = 1
    per_page: Annotated[PageSize, Meta(description=f"How many; at most {MOST}.")] = 100
    user_id: Annotated[UUID, Meta(description="In whose name a service calls.")] | None = None
    offset: Annotated[
        int, Meta(ge=0, description="How many to leave out before the first page.")
    ] = 0


@frozen(slots=False)
class HistoryItem:
    """A message; that of a master agent is a JSON object as a text."""

    sender_type: Literal["user", "master_agent"]
    content: str
    request_id: UUID | None
    created_at: datetime


@frozen(slots=False)
class History:
    """A page of a chat, newest first, and the URLs of its neighbours."""

    total_count: int
    next_page: str | None
    previous_page: str | None
    items: list[HistoryItem]
