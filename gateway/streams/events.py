"""What happens to a request, besides its frames: parts of texts, as they are made."""

from uuid import UUID

from attrs import frozen

from shared.notifications.formats import Request


@frozen
class Part:
    """What a text goes on with: parts of one text are to be put together in their order.

    The first one that a client is given, `index` 0, begins the text. What was left out for a
    client that is slow, or came late, is in the next part. The answer stands alone in the end.
    """

    request: Request
    agent_id: UUID | None
    """Whose text it is; None: the answer's."""
    index: int
    text: str
