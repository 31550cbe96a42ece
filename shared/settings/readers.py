"""What the text of a variable may be; a reader raises ValueError with the rest of a sentence."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from ipaddress import ip_network
from typing import Literal

from shared.settings.addresses import read_host, read_origin, split_url
from shared.settings.redis_address import read_redis_address

ENCRYPTION_KEY_BYTES = 32  # AES-256
SERVICE_KEY_BYTES = 16
LAST_PORT = 65_535
LEAST_AUDIT_DAYS = 30  # that PostgreSQL lets nobody delete entries for

type Contract = Literal["enriched", "lookup", "auto"]
type LogFormat = Literal["auto", "json", "text"]


def long_enough(size: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text.encode()) < size:
            raise ValueError(f"must have at least {size} bytes")
        return text

    return read


service_key = long_enough(SERVICE_KEY_BYTES)


def whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("must be a whole number above zero")
    return int(text)


def limit(text: str) -> int:
    """How many at most; 0 means any number."""
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number, 0 for no limit")
    return int(text)


def kept_days(text: str) -> int:
    days = limit(text)
    if 0 < days < LEAST_AUDIT_DAYS:
        raise ValueError(f"must be at least {LEAST_AUDIT_DAYS}, or 0 to keep all")
    return days


def money(text: str) -> float:
    """An amount; 0 means none."""
    whole, _, part = text.partition(".")
    if not text.isascii() or not whole.isdigit() or not f"{part}0".isdigit():
        raise ValueError("must be an amount like 25 or 12.50, 0 for none")
    return float(text)


def seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("must be a number of seconds") from None
    if not 0 < seconds < float("inf"):
        raise ValueError("must be a number of seconds above zero")
    return seconds


def pause(text: str) -> float:
    """Seconds; 0 means none."""
    return 0.0 if text == "0" else seconds(text)


def flag(text: str) -> bool:
    if text.lower() in {"true", "1", "yes", "on", "t", "y"}:
        return True
    if text.lower() in {"false", "0", "no", "off", "f", "n"}:
        return False
    raise ValueError("must be true or false")


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LAST_PORT:
        raise ValueError(f"must be a port, from 1 to {LAST_PORT}")
    return int(text)


def port_or_none(text: str) -> int:
    return 0 if text == "0" else port(text)


def host(text: str) -> str:
    """Where to listen."""
    try:
        return read_host(text)
    except ValueError:
        raise ValueError("must be an IP address or the name of a host, without a port") from None


def postgres_host(text: str) -> str:
    """A host, or the folder of a socket."""
    if text.startswith("/"):
        return text
    try:
        return read_host(text)
    except ValueError:
        raise ValueError(
            "must be the name of a host, an IP address or the folder of a socket, without a port"
        ) from None


def postgres_hosts(text: str) -> str:
    """One, or several with commas between them."""
    return ",".join(postgres_host(word.strip()) for word in text.split(","))


def url(*schemes: str) -> Callable[[str], str]:
    begin = " or ".join(schemes)

    def read(text: str) -> str:
        if text.partition("://")[0] not in schemes:
            raise ValueError(f"must be a URL that begins with {begin}")
        try:
            split_url(text)
        except ValueError:
            raise ValueError(
                f"must be a URL that begins with {begin}, then a host and perhaps a port; what a"
                " name or password there has of @ : / ? # % and blanks is written as %40 and so on"
            ) from None
        return text

    return read


def public_url(text: str) -> str:
    """One that paths are added to, without a slash at its end."""
    address = url("http", "https")(text)
    if "?" in address or "@" in address:
        raise ValueError("must be a URL without a name, a password and a query")
    return address.rstrip("/")


def redis_url(text: str) -> str:
    """Of a server, Sentinels or a Cluster, as `read_redis_address` takes it apart."""
    read_redis_address(text)
    return text


def contract(text: str) -> Contract:
    match text:
        case "enriched" | "lookup" | "auto":
            return text
    raise ValueError("must be enriched, lookup or auto")


def log_format(text: str) -> LogFormat:
    match text:
        case "auto" | "json" | "text":
            return text
    raise ValueError("must be auto, json or text")


def words(text: str) -> tuple[str, ...]:
    """Texts with commas between them, or a JSON list of them."""
    found = _json_list(text) if text.lstrip().startswith("[") else text.split(",")
    return tuple(word.strip() for word in found if word.strip())


def _json_list(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise ValueError("must be a JSON list of texts where it begins with [")
    return found


def origins(text: str) -> tuple[str, ...]:
    """Origins as browsers write them, or `*` for any."""
    wanted = words(text)
    try:
        return tuple(word if word == "*" else read_origin(word) for word in wanted)
    except ValueError:
        raise ValueError(
            "must be * or origins like https://chat.example.com, without a path,"
            " with commas between them or as a JSON list"
        ) from None


def pages(text: str) -> tuple[str, ...]:
    """Addresses of pages, as browsers write them."""
    wanted = words(text)
    for word in wanted:
        try:
            url("http", "https")(word)
        except ValueError:
            raise ValueError(
                "must be addresses like https://chat.example.com/signed-in, without #, with commas"
                " between them or as a JSON list"
            ) from None
    return wanted


def encryption_keys(text: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(b64decode(word, validate=True) for word in words(text))
    except Base64Error:
        raise ValueError("must be base64 keys with commas between them") from None
    if not keys or any(len(key) != ENCRYPTION_KEY_BYTES for key in keys):
        raise ValueError(f"must be base64 keys of {ENCRYPTION_KEY_BYTES} bytes each")
    return keys


def networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(word, strict=False)) for word in words(text))
    except ValueError:
        raise ValueError("must be addresses or networks with commas between them") from None
