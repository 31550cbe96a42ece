"""How far the deletion of an account is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta


@frozen(slots=False)
class Deletion:
    """How far the deletion of an account is. Once it has ended, its `user_id` names nobody."""

    user_id: UUID
    step: Annotated[str, Meta(description="What is being removed, or is next; at last `done`.")]
    counts: Annotated[
        dict[str, int], Meta(description="How many things have been removed, by their kind.")
    ]
    since: datetime
    ended_at: datetime | None
