"""A call of A2A on its way through the package for it."""

from typing import Any

from attrs import field, frozen

from gateway.published.queries import Published
from gateway.web.call import Call


@frozen
class Asked:
    """A call, what it is for, and what was raised in it that is none of the package's errors."""

    call: Call[Any, Any]
    published: Published
    files_url: str
    """What stands before the ids of files, in their addresses for clients."""
    raised: list[Exception] = field(factory=list)
