"""What is asked, whichever protocol it came in."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

import attrs
from attrs import field, frozen

from shared.codec.text import write_json
from shared.domain.frames import answer_from

TITLE_LIMIT = 20  # characters
NEW_CHAT = "New Chat"


@frozen
class Past:
    """A message of a history that its client keeps itself."""

    sender_type: Literal["user", "master_agent"]
    text: str = field(repr=False)

    @property
    def content(self) -> str:
        """As messages of its sender are stored."""
        if self.sender_type == "user":
            return self.text
        return write_json(answer_from(self.text)).decode()


@frozen
class Overrides:
    """What stands in place of values of the model config, for one request."""

    temperature: float | None = None
    system_prompt: str | None = field(default=None, repr=False)
    context: str | None = field(default=None, repr=False)
    """What the prompt, whichever it is, goes on with."""

    def as_json(self) -> dict[str, Any] | None:
        """The values that there are, if there are any."""
        return attrs.asdict(self, filter=lambda _, value: value is not None) or None


@frozen(kw_only=True)
class Question:
    """A message, and all that is said with it."""

    user_id: UUID
    session_id: UUID
    message: str = field(repr=False)
    config_name: str | None = None
    provider_name: str | None = None
    file_ids: list[UUID] = field(factory=list)
    message_id: UUID | None = None
    """How its sender calls it: the same again in its session starts nothing."""
    request_id: UUID = field(factory=uuid4)
    overrides: Overrides = Overrides()
    asked_id: UUID | None = None
    """The agent or flow that is to be asked itself; None: the master agent."""
    has_arguments: bool = False
    """Whether the message is JSON: what that agent, or the first of the flow, is called with."""
    history: Sequence[Past] = ()
    """What came before it; stored where the session is new."""
    origin: str | None = None
    """What makes the chat, where it is none that the user keeps here."""
    publication_id: UUID | None = None
    """What it is asked through, where that is something published."""
    named: dict[str, str] | None = None
    """What its client is told again of the words that it has for things of ours."""

    @property
    def title(self) -> str:
        """What a chat is called that begins with it."""
        said = (past.text for past in self.history if past.sender_type == "user")
        return next(said, self.message)[:TITLE_LIMIT] or NEW_CHAT
