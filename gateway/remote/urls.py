"""URLs that users give: which of them are visited, and how they are told to others."""

import httpx2

from gateway.remote.errors import RefusedUrlError

URL_CHARACTERS = 2048
HIGHEST_PORT = 65535

URL_SCHEMA = {
    "type": "string",
    "format": "uri",
    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
    "maxLength": URL_CHARACTERS,
}
"""What JSON schema can say of a URL that is visited."""


def read_url(text: str) -> httpx2.URL:
    """The URL in its normal form, without a fragment. Raises RefusedUrlError."""
    if len(text) > URL_CHARACTERS:
        raise RefusedUrlError(f"The URL has more than {URL_CHARACTERS:,} characters")
    try:
        url = httpx2.URL(text.strip()).copy_with(fragment=None)
    except httpx2.InvalidURL:
        raise RefusedUrlError("This is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise RefusedUrlError("The URL must begin with http:// or https:// and name a host")
    if url.userinfo:
        raise RefusedUrlError("The URL must not hold credentials")
    if url.port is not None and not 0 < url.port <= HIGHEST_PORT:
        raise RefusedUrlError("The URL has an impossible port")
    return url.copy_with(path="/") if url.path == "/" else url


def show(url: httpx2.URL | str) -> str:
    """A URL for logs, and for whom it was not told by: credentials and query may be secrets."""
    try:
        return str(httpx2.URL(url).copy_with(userinfo=b"", query=None, fragment=None))
    except httpx2.InvalidURL:
        return "a URL that is none"


def slashed(url: str) -> str:
    """An address as it is told to others: with a slash at its end, where that changes nothing."""
    return url if "?" in url else f"{url.rstrip('/')}/"
