"""What an A2A agent's card wants to be shown by callers, and what of it is lacking.

Cards of version 1 say it in other words than those before, which have OpenAPI's.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attrs import frozen
from msgspec import UNSET, UnsetType

MOST_WAYS = 5  # that are named, and things of each
SHOWN_NAME = 100  # characters

# The words of version 1, and those of versions before.
KINDS = {
    "apiKeySecurityScheme": "apiKey",
    "httpAuthSecurityScheme": "http",
    "oauth2SecurityScheme": "oauth2",
    "openIdConnectSecurityScheme": "openIdConnect",
    "mtlsSecurityScheme": "mutualTLS",
}
UNSUPPORTED = {
    "apiKey": "an API key elsewhere than in a header, which can't be sent",
    "mutualTLS": "a certificate of the caller, which can't be shown",
}


@frozen
class Want:
    """One thing that a caller is to show: a header, or what can't be shown here."""

    clause: str
    header: str | None = None


def find_lacking(content: Mapping[str, Any], names: Collection[str]) -> str | UnsetType:
    """What an agent wants besides the headers of these names, as a sentence."""
    ways = [*_ways(content)]
    sent = {name.lower() for name in names}
    lacking = [[want for want in way if not _is_shown(want, sent)] for way in ways]
    if not ways or not all(lacking):
        return UNSET
    told = [" and ".join(want.clause for want in way[:MOST_WAYS]) for way in lacking[:MOST_WAYS]]
    return f"It wants {', or '.join(dict.fromkeys(told))}"


def _is_shown(want: Want, sent: Collection[str]) -> bool:
    return want.header is not None and want.header.lower() in sent


def _ways(content: Mapping[str, Any]) -> Iterator[list[Want]]:
    """The ways to get in, each of which takes all that it wants."""
    schemes = _dict(content.get("securitySchemes"))
    for word in ("securityRequirements", "security"):
        requirements = content.get(word)
        for one in requirements if isinstance(requirements, list) else ():
            names = _dict(_dict(one).get("schemes", one))
            yield [_want(name, *_read(schemes.get(name))) for name in names]


def _want(name: str, kind: str, about: dict[str, Any]) -> Want:
    match kind, about:
        case "apiKey", {"place": "header", "name": str(header)}:
            return Want(f"the header {header[:SHOWN_NAME]}, give it in `headers`", header)
        case "apiKey", {"place": "cookie"}:
            return Want("an API key as a cookie, give it in `headers` as Cookie", "Cookie")
        case "http", {"scheme": str(word)} if word.lower() != "bearer":
            wanted = f"an `Authorization` of the kind {word[:SHOWN_NAME]}"
            return Want(f"{wanted}, give it in `headers`", "Authorization")
        case (("http" | "oauth2" | "openIdConnect"), _):
            return Want("a token, give it as `bearer_token`", "Authorization")
    return Want(UNSUPPORTED.get(kind) or f"{name[:SHOWN_NAME]!r}, of which its card says no more")


def _read(scheme: object) -> tuple[str, dict[str, Any]]:
    """Of which kind a scheme is, by the older words, and what is said of it."""
    if not isinstance(scheme, dict):
        return "", {}
    for word, kind in KINDS.items():
        if isinstance(about := scheme.get(word), dict):
            return kind, {**about, "place": about.get("location")}
    return str(scheme.get("type", "")), {**scheme, "place": scheme.get("in")}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
