"""What users' servers are shown of who asks: headers, and which of them may be."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import httpx2
from attrs import field, frozen
from msgspec import UNSET, Meta, UnsetType

from shared.codec.hooks import Rule
from shared.domain.grants import AUTHORIZATION, is_authorization

HEADERS_LIMIT = 20
NAME_LIMIT = 100  # characters
VALUE_LIMIT = 8 * 1024  # characters
TOKEN_LIMIT = VALUE_LIMIT - len("Bearer ")
ALL_LIMIT = 16 * 1024  # characters of all names and values: servers take no more

# Those of the connection (RFC 9110, 7.6.1), of the message, and of the protocols themselves.
OURS = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("host", "content-length", "content-type", "content-encoding", "accept", "last-event-id"),
        *("accept-encoding", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name"),
    }
)
OUR_PREFIXES = ("proxy-", "mcp-param-", "a2a-", "sec-")

_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_value = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")
_token = re.compile(r"[!-~]+")

type Values = Mapping[str, str]


def objection_to_headers(headers: Mapping[Any, object]) -> str | None:
    """What is wrong with headers that somebody gave, without their values."""
    for name, value in headers.items():
        if fault := _objection(name, value):
            return fault
    names = [str(name).lower() for name in headers]
    if len(names) > HEADERS_LIMIT:
        return f"'headers' must be at most {HEADERS_LIMIT}"
    if len({*names}) < len(names):
        return "'headers' must have each name once, in capitals or not"
    if sum(len(str(text)) for pair in headers.items() for text in pair) > ALL_LIMIT:
        return f"'headers' must have at most {ALL_LIMIT:,} characters together"
    return None


def _objection(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not _name.fullmatch(name) or len(name) > NAME_LIMIT:
        return f"'headers' must have names as HTTP has them, of at most {NAME_LIMIT} characters"
    if name.lower() in OURS or name.lower().startswith(OUR_PREFIXES):
        return f"'headers' must not hold {name}: it is set for each call"
    if value is not None and not (isinstance(value, str) and _value.fullmatch(value)):
        return f"'headers' must hold a text of visible ASCII characters for {name}"
    if isinstance(value, str) and len(value) > VALUE_LIMIT:
        return f"'headers' must hold at most {VALUE_LIMIT:,} characters for {name}"
    return None


def _objection_to_none(headers: Mapping[Any, object]) -> str | None:
    if None in headers.values():
        return "'headers' must hold texts"
    return objection_to_headers(headers)


def _objection_to_token(token: str) -> str | None:
    return None if _token.fullmatch(token) else "'bearer_token' must be the token alone"


BearerToken = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="Becomes the header `Authorization`. It is stored encrypted and never shown.",
        extra_json_schema={"pattern": "^[!-~]+$", "writeOnly": True},
    ),
    Rule(_objection_to_token),
]
NewHeaders = Annotated[
    dict[str, str],
    Meta(
        description="What it is sent with each call, besides what its protocol wants. In place of "
        "those that are stored; left out, these stay. Values are stored encrypted and never shown.",
        extra_json_schema={"maxProperties": HEADERS_LIMIT, "writeOnly": True},
    ),
    Rule(_objection_to_none),
]
HeaderChanges = Annotated[
    dict[str, str | None],
    Meta(
        description="Those to add or to replace, and as null those to remove; the others stay.",
        extra_json_schema={"maxProperties": HEADERS_LIMIT, "writeOnly": True},
    ),
    Rule(objection_to_headers),
]
HeaderNames = Annotated[
    list[str] | UnsetType,
    Meta(description="The names of the headers that it is sent, where there are any."),
]


def change(
    headers: Values,
    changes: Mapping[str, str | None] | UnsetType,
    token: str | UnsetType | None,
) -> dict[str, str]:
    """The headers with these changes; a token is the header `Authorization`, None: no such one."""
    given = {} if isinstance(changes, UnsetType) else dict(changes)
    if token is not UNSET:
        given = {name: value for name, value in given.items() if not is_authorization(name)}
        given[AUTHORIZATION] = None if token is None else f"Bearer {token}"
    changed = {name.lower() for name in given}
    kept = {name: value for name, value in headers.items() if name.lower() not in changed}
    return kept | {name: value for name, value in given.items() if value is not None}


@frozen
class Credentials:
    """The headers that a server is sent, and nobody else: neither another port nor another host."""

    url: str
    headers: Values = field(repr=False)

    def of(self, url: httpx2.URL) -> Values:
        """Those for a request to this URL."""
        return self.headers if _origin(url) == _origin(httpx2.URL(self.url)) else NO_HEADERS


NO_HEADERS: Values = MappingProxyType({})


def _origin(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host.lower(), url.port
