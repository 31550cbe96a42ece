"""What both services need to know."""

from base64 import b64encode
from urllib.parse import parse_qs, quote, unquote, urlsplit

import attrs
from attrs import frozen

from shared.settings.addresses import in_url
from shared.settings.readers import (
    LogFormat,
    encryption_keys,
    flag,
    host,
    log_format,
    long_enough,
    port,
    postgres_host,
    redis_url,
    seconds,
    service_key,
    url,
    whole_number,
)
from shared.settings.reading import is_secret, secret, setting

SECRET_KEY_BYTES = 32  # RFC 7518, 3.2: HS256 wants a key of the hash's size or larger


@frozen(kw_only=True, slots=False)  # two services' settings can be one object
class PostgresSettings:
    """Where the database is."""

    postgres_host: str = setting(postgres_host, default="localhost")
    postgres_port: int = setting(port, default=5432)
    postgres_user: str = setting(str, default="postgres")
    postgres_password: str = secret(str)
    postgres_db: str = setting(str, default="postgres", also="DB_NAME")  # the original has both
    allow_known_secrets: bool = setting(flag, default=False)

    @property
    def database_url(self) -> str:
        """The PostgreSQL URL without a driver, its parts quoted, the folder of a socket too."""
        user = quote(self.postgres_user, safe="")
        password = quote(self.postgres_password, safe="")
        database = quote(self.postgres_db, safe="")
        host = in_url(quote(self.postgres_host, safe=":"))
        return f"postgresql://{user}:{password}@{host}:{self.postgres_port}/{database}"


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
        """Every secret in the form in which it was given, and the password of Redis."""
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
        given = [*(value for value in values if isinstance(value, str)), *keys, *passwords]
        return tuple({form for text in given if text for form in (text, unquote(text))})
