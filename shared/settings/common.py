"""What both services need to know."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs
from attrs import frozen

from shared.settings.postgres import (
    PostgresAddress,
    fault_of_roots,
    passwords_in,
    postgres_url,
    read_address,
    ssl_mode,
    ssl_roots,
)
from shared.settings.readers import (
    LogFormat,
    encryption_keys,
    flag,
    host,
    log_format,
    long_enough,
    port,
    postgres_hosts,
    redis_url,
    seconds,
    service_key,
    url,
    whole_number,
)
from shared.settings.reading import is_secret, secret, setting

POSTGRES = "postgresql://"
SECRET_KEY_BYTES = 32  # RFC 7518, 3.2: HS256 wants a key of the hash's size or larger


def _has_no_url(environment: Mapping[str, str | None]) -> bool:
    return not environment.get("DATABASE_URL")


def _contradictions(values: Mapping[str, Any]) -> str | None:
    """Which variables say something else than the URL that is given beside them."""
    address = read_address(values["database_url"])
    theirs = {
        "postgres_host": ",".join(address.hosts),
        "postgres_port": address.ports[0] if len(set(address.ports)) == 1 else None,
        "postgres_user": address.user,
        "postgres_password": address.password,
        "postgres_db": address.database,
        "postgres_sslmode": address.given.get("sslmode"),
        "postgres_sslrootcert": address.given.get("sslrootcert"),
    }
    others = [name.upper() for name, value in theirs.items() if values.get(name, value) != value]
    return (
        f"says something else than {', '.join(others)}: give one or the other" if others else None
    )


def _fault_of_mode(values: Mapping[str, Any]) -> str | None:
    has_roots = "postgres_sslrootcert" in values
    return None if has_roots else fault_of_roots(values["postgres_sslmode"], None, "postgres_")


def _fault_of_roots(values: Mapping[str, Any]) -> str | None:
    roots = values["postgres_sslrootcert"]
    return fault_of_roots(values.get("postgres_sslmode"), roots, "postgres_")


def _url_of_variables(settings: "PostgresSettings") -> str:
    hosts = tuple(settings.postgres_host.split(","))
    ports = (settings.postgres_port,) * len(hosts)
    tls = {"sslmode": settings.postgres_sslmode, "sslrootcert": settings.postgres_sslrootcert}
    given = {name: value for name, value in tls.items() if value is not None}
    return PostgresAddress(
        hosts,
        ports,
        settings.postgres_user,
        settings.postgres_password,
        settings.postgres_db,
        given,
    ).for_libpq


@frozen(kw_only=True, slots=False)  # two services' settings can be one object
class PostgresSettings:
    """Where the database is: the URL, or else the variables with its parts."""

    postgres_host: str = setting(postgres_hosts, default="localhost")
    postgres_port: int = setting(port, default=5432)
    postgres_user: str = setting(str, default="postgres")
    postgres_password: str | None = secret(str, default=None, needed=_has_no_url)
    postgres_db: str = setting(str, default="postgres", also="DB_NAME")  # the original has both
    postgres_sslmode: str | None = setting(ssl_mode, default=None, check=_fault_of_mode)
    postgres_sslrootcert: str | None = setting(ssl_roots, default=None, check=_fault_of_roots)
    database_url: str = secret(
        postgres_url,
        default=attrs.Factory(_url_of_variables, takes_self=True),
        texts=passwords_in,
        check=_contradictions,
    )
    """In libpq's form, whichever of both was given."""
    allow_known_secrets: bool = setting(flag, default=False)

    @property
    def postgres(self) -> PostgresAddress:
        """Where PostgreSQL is and how to get in."""
        return read_address(self.database_url)


@frozen(kw_only=True, slots=False)
class CommonSettings(PostgresSettings):
    """Each field is the environment variable of the same name in capitals.

    Times are in seconds, sizes in bytes. Those without a default must be given.
    """

    database_pool_size: int = setting(whole_number, default=10)

    redis_url: str = setting(redis_url, default="redis://localhost:6379/0", shown=False)

    secret_key: str = secret(long_enough(SECRET_KEY_BYTES))
    encryption_keys: tuple[bytes, ...] = secret(encryption_keys)
    master_agent_api_key: str | None = secret(service_key, default=None)
    service_api_key: str | None = secret(service_key, default=None, own=True)

    metrics_host: str = setting(host, default="127.0.0.1")
    otel_exporter_otlp_endpoint: str | None = setting(
        url("http", "https"), default=None, shown=False
    )
    debug: bool = setting(flag, default=False)
    log_format: LogFormat = setting(log_format, default="auto")

    drain_timeout: float = setting(seconds, default=20.0)

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """Every secret in the form in which it was given, and the passwords in URLs."""
        values = [
            getattr(self, field.name) for field in attrs.fields(type(self)) if is_secret(field)
        ]
        keys = [b64encode(key).decode() for key in self.encryption_keys]
        redis = urlsplit(self.redis_url)
        options = parse_qs(redis.query)
        passwords = [
            redis.password or "",
            *options.get("password", []),
            *options.get("sentinel_password", []),
        ]
        texts = [value for value in values if isinstance(value, str)]
        urls = [text for text in texts if text.startswith(POSTGRES)]
        passwords += [each for text in urls for each in read_address(text).secrets]
        clients = [each.client_secret or "" for each in getattr(self, "oidc", ())]
        given = [*texts, *keys, *passwords, *clients]
        return tuple({form for text in given if text for form in (text, unquote(text))})
