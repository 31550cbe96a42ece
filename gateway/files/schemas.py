"""What clients send about files, and what they are told."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.web.paging import MOST, Limit, Offset
from shared.domain.frames import FileMetadata

FileContent = Annotated[
    str,
    Meta(
        description="Its name may have up to 255 characters; a type left out is guessed from it.",
        extra_json_schema={"format": "binary", "contentMediaType": "application/octet-stream"},
    ),
]


@frozen
class FileOrigin:
    """The session and request that a file belongs to; both are given when an agent made it."""

    request_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def from_agent(self) -> bool:
        """Whether an agent made the file."""
        return self.request_id is not None and self.session_id is not None


@frozen
class NewFile:
    """A file to store. Both ids are given when an agent made it."""

    file: FileContent
    request_id: UUID | None = None
    session_id: UUID | None = None


@frozen(slots=False)
class CreatedFile:
    """A new file."""

    id: UUID


@frozen(slots=False)
class StoredFile(FileMetadata):
    """A file with its size in bytes and its age, null where nobody knows them."""

    size: int | None
    created_at: datetime | None


@frozen(slots=False)
class SessionFile:
    """A file of a session."""

    file_id: UUID
    session_id: UUID
    request_id: UUID | None


@frozen
class FileId:
    """Which file."""

    file_id: Annotated[UUID, Meta(description="Which file.")]


@frozen
class FileSelection:
    """Files of which session."""

    session_id: Annotated[UUID, Meta(description="Which session.")]
    limit: Limit = MOST
    offset: Offset = 0


@frozen
class FilePage:
    """Which of the user's files to list."""

    limit: Limit = 100
    offset: Offset = 0
