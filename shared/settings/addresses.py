"""Hosts, ports, URLs and origins as people write them, brought into one form."""

import re
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}  # which browsers leave out
NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?", re.ASCII)  # an IPv4 address looks like one


def read_host(text: str) -> str:
    """A name or an address, one of IPv6 as it is without brackets. Raises ValueError."""
    if ":" in text:
        is_in_brackets = text.startswith("[") and text.endswith("]")
        return str(IPv6Address(text[1:-1] if is_in_brackets else text))
    if not NAME.fullmatch(text):
        raise ValueError("is no name of a host")
    return text


def in_url(host: str) -> str:
    """The host as it stands in a URL, where one of IPv6 has brackets."""
    return f"[{host}]" if ":" in host else host


def postgres_place(host: str, port: int) -> str:
    """Where PostgreSQL listens, for people: an address, or the file of a socket."""
    if host.startswith("/"):
        return f"{host}/.s.PGSQL.{port}"
    return f"{in_url(host)}:{port}"


def split_url(text: str) -> SplitResult:
    """The parts of a URL that has a good host and port. Raises ValueError."""
    parts = urlsplit(text)  # which raises for a host, and its `port` for a port, that is none
    if re.search(r"[\s\x00-\x1f#]", text) or parts.port == 0:
        raise ValueError("is no URL")
    read_host(parts.hostname or "")
    return parts


def read_origin(text: str) -> str:
    """The origin as a browser sends it: RFC 6454, section 6.2. Raises ValueError."""
    parts = split_url(text.lower().removesuffix("/"))
    if f"{parts.scheme}://{parts.netloc}" != text.lower().removesuffix("/") or "@" in text:
        raise ValueError("has more than scheme, host and port")
    host = in_url(read_host(parts.hostname or ""))
    is_default = parts.port in {None, DEFAULT_PORTS.get(parts.scheme)}
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{parts.port}")
