"""What is said of groups that are not there for the caller."""

from uuid import UUID

from gateway.web.errors import BadRequestError


def unknown_group(id_: UUID) -> BadRequestError:
    """That there is no such group: also to who is not in it."""
    return BadRequestError(f"Group with id '{id_}' does not exist")
