"""The one settings object, read once from the environment and a `.env` file."""

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import attrs
from attrs import NOTHING, frozen
from dotenv import dotenv_values

from shared.weak_secrets import is_weak

ENCRYPTION_KEY_BYTES = 32  # AES-256
SECRET_KEY_BYTES = 32  # RFC 7518, 3.2: HS256 wants a key of the hash's size or larger
SERVICE_KEY_BYTES = 16

type Contract = Literal["enriched", "lookup", "auto"]
type LogFormat = Literal["auto", "json", "text"]


class SettingsError(Exception):
    """The environment does not describe a working installation; the text names every fault."""


def _long_enough(size: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text.encode()) < size:
            raise ValueError(f"must have at least {size} bytes")
        return text

    return read


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("must be a whole number above zero")
    return int(text)


def _limit(text: str) -> int:
    """How many at most; 0 means any number."""
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number, 0 for no limit")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("must be a number of seconds") from None
    if not 0 < seconds < float("inf"):
        raise ValueError("must be a number of seconds above zero")
    return seconds


def _pause(text: str) -> float:
    """Seconds; 0 means none."""
    return 0.0 if text == "0" else _seconds(text)


def _flag(text: str) -> bool:
    answers = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in answers:
        raise ValueError("must be true or false")
    return answers[text.lower()]


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes or not urlsplit(text).netloc:
            raise ValueError(f"must be a URL that begins with {' or '.join(schemes)}")
        return text

    return read


def _contract(text: str) -> Contract:
    match text:
        case "enriched" | "lookup" | "auto":
            return text
    raise ValueError("must be enriched, lookup or auto")


def _log_format(text: str) -> LogFormat:
    match text:
        case "auto" | "json" | "text":
            return text
    raise ValueError("must be auto, json or text")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _encryption_keys(text: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(b64decode(word, validate=True) for word in _words(text))
    except Base64Error:
        raise ValueError("must be base64 keys with commas between them") from None
    if not keys or any(len(key) != ENCRYPTION_KEY_BYTES for key in keys):
        raise ValueError(f"must be base64 keys of {ENCRYPTION_KEY_BYTES} bytes each")
    return keys


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(word, strict=False)) for word in _words(text))
    except ValueError:
        raise ValueError("must be addresses or networks with commas between them") from None


def _field(read: Callable[[str], Any], *, default: Any = NOTHING, shown: bool = True) -> Any:
    return attrs.field(default=default, repr=shown, metadata={"read": read})


def _secret(read: Callable[[str], Any], *, default: Any = NOTHING) -> Any:
    metadata = {"read": read, "secret": True}
    return attrs.field(default=default, repr=False, metadata=metadata)


@frozen(kw_only=True)
class PostgresSettings:
    """Where the database is."""

    postgres_host: str = _field(str, default="localhost")
    postgres_port: int = _field(_whole_number, default=5432)
    postgres_user: str = _field(str, default="postgres")
    postgres_password: str = _secret(str)
    postgres_db: str = _field(str, default="postgres")
    allow_known_secrets: bool = _field(_flag, default=False)

    @property
    def database_url(self) -> str:
        """The PostgreSQL URL without a driver, its parts quoted."""
        user = quote(self.postgres_user, safe="")
        password = quote(self.postgres_password, safe="")
        database = quote(self.postgres_db, safe="")
        return (
            f"postgresql://{user}:{password}@{self.postgres_host}:{self.postgres_port}/{database}"
        )


@frozen(kw_only=True)
class Settings(PostgresSettings):
    """Each field is the environment variable of the same name in capitals.

    Times are in seconds, sizes in bytes. Those without a default must be given.
    """

    database_pool_size: int = _field(_whole_number, default=10)

    redis_url: str = _field(
        _url("redis", "rediss", "unix"), default="redis://localhost:6379/0", shown=False
    )

    router_ws_url: str = _field(_url("ws", "wss"), default="ws://localhost:8080/ws")
    router_lanes: int = _field(_whole_number, default=64)
    router_max_frame_bytes: int = _field(_whole_number, default=16 * 1024 * 1024)
    master_agent_contract: Contract = _field(_contract, default="auto")

    secret_key: str = _secret(_long_enough(SECRET_KEY_BYTES))
    encryption_keys: tuple[bytes, ...] = _secret(_encryption_keys)
    master_be_api_key: str = _secret(_long_enough(SERVICE_KEY_BYTES))
    master_agent_api_key: str | None = _secret(_long_enough(SERVICE_KEY_BYTES), default=None)

    gateway_host: str = _field(str, default="0.0.0.0")  # noqa: S104 (reached through a network)
    gateway_port: int = _field(_whole_number, default=8000)
    bridge_host: str = _field(str, default="0.0.0.0")  # noqa: S104
    bridge_port: int = _field(_whole_number, default=8001)
    metrics_host: str = _field(str, default="127.0.0.1")
    gateway_metrics_port: int = _field(_limit, default=0)
    bridge_metrics_port: int = _field(_limit, default=0)
    otel_exporter_otlp_endpoint: str | None = _field(
        _url("http", "https"), default=None, shown=False
    )
    trusted_proxies: tuple[str, ...] = _field(_networks, default=())
    backend_cors_origins: tuple[str, ...] = _field(_words, default=("*",))
    default_files_folder_name: str = _field(str, default="files")
    files_url: str | None = _field(_url("s3"), default=None)
    max_file_bytes: int = _field(_whole_number, default=100 * 1024 * 1024)
    debug: bool = _field(_flag, default=False)
    log_format: LogFormat = _field(_log_format, default="auto")

    drain_grace: float = _field(_pause, default=3.0)
    drain_timeout: float = _field(_seconds, default=20.0)

    request_timeout: float = _field(_seconds, default=600.0)
    max_message_bytes: int = _field(_whole_number, default=256 * 1024)
    retention_days: int = _field(_limit, default=30)

    login_failures_per_address: int = _field(_limit, default=100)
    login_failures_per_name: int = _field(_limit, default=10)
    registrations_per_address: int = _field(_limit, default=100)
    sockets_per_user: int = _field(_limit, default=100)
    open_requests_per_user: int = _field(_limit, default=100)

    allow_private_urls: bool = _field(_flag, default=False)
    refresh_seconds: float = _field(_seconds, default=60.0)

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """Every secret in the form in which it was given, and the password of Redis."""
        values = [
            getattr(self, field.name) for field in attrs.fields(Settings) if _is_secret(field)
        ]
        keys = [b64encode(key).decode() for key in self.encryption_keys]
        password = urlsplit(self.redis_url).password
        given = [*(value for value in values if isinstance(value, str)), *keys, password or ""]
        return tuple({form for text in given if text for form in (text, unquote(text))})

    @property
    def service_keys(self) -> tuple[str, ...]:
        """The keys of the two master parties, which their frames repeat."""
        keys = (self.master_be_api_key, self.master_agent_api_key)
        return tuple(key for key in keys if key)


def read_settings[T: PostgresSettings](environment: Mapping[str, str | None], into: type[T]) -> T:
    """Build the settings from variables; an empty one counts as not given.

    Raises SettingsError, which names all faults at once and repeats no value.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in attrs.fields(into):
        variable = field.name.upper()
        text = environment.get(variable)
        try:
            if text:
                values[field.name] = field.metadata["read"](text)
            elif field.default is NOTHING:
                faults.append(f"{variable} is missing")
        except ValueError as fault:
            faults.append(f"{variable} {fault}")
    if not values.get("allow_known_secrets"):
        faults.extend(f"{variable} can be guessed" for variable in _guessable(into, values))
    if faults:
        raise SettingsError("; ".join(faults))
    return into(**values)


def _guessable(settings: type[PostgresSettings], values: Mapping[str, Any]) -> Iterable[str]:
    for field in attrs.fields(settings):
        if _is_secret(field) and any(map(is_weak, _texts(values.get(field.name)))):
            yield field.name.upper()


def _is_secret(field: "attrs.Attribute[Any]") -> bool:
    return "secret" in field.metadata


def _texts(secret: str | tuple[bytes, ...] | None) -> Iterable[str]:
    match secret:
        case str():
            return (secret,)
        case tuple():
            return (key.decode("latin-1") for key in secret)
    return ()


def load_settings[T: PostgresSettings](into: type[T]) -> T:
    """Read the `.env` file of the working folder and the environment, which wins."""
    return read_settings({**dotenv_values(".env"), **os.environ}, into)
