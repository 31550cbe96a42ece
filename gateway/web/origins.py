"""Which pages may open a WebSocket: browsers don't ask for them as they do for HTTP."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def is_welcome(connection: HTTPConnection, origins: Collection[str]) -> bool:
    """Whether it comes from one of the origins, from here, or from a program, which names none."""
    origin = connection.headers.get("origin")
    if origin is None or "*" in origins or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower() != ""
    except ValueError:
        return False
