"""What the gateway needs besides."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from shared.settings.addresses import read_origin
from shared.settings.common import CommonSettings
from shared.settings.postgres import passwords_in, standby_url
from shared.settings.providers import (
    PREFIX,
    ProviderSettings,
    name_of_provider,
    objection_to_providers,
)
from shared.settings.readers import (
    flag,
    host,
    kept_days,
    limit,
    money,
    networks,
    origins,
    pages,
    pause,
    port,
    port_or_none,
    public_url,
    seconds,
    service_key,
    url,
    whole_number,
)
from shared.settings.reading import family, secret, setting
from shared.settings.smtp import mail_sender, smtp_passwords, smtp_url


def _services_have_no_key(environment: Mapping[str, str | None]) -> bool:
    return not environment.get("MASTER_BE_API_KEY")


def _lacks_for_mail(values: Mapping[str, Any]) -> str | None:
    lacking = [name.upper() for name in ("smtp_from", "public_url") if name not in values]
    return f"needs {' and '.join(lacking)} too" if lacking else None


@frozen(kw_only=True, slots=False)
class GatewaySettings(CommonSettings):
    """Who may come in, how much of anything, and where files are."""

    service_api_key: str | None = secret(
        service_key, default=None, own=True, needed=_services_have_no_key
    )
    master_be_api_key: str | None = secret(service_key, default=None)

    database_read_url: str | None = secret(standby_url, default=None, texts=passwords_in)
    """Of a standby, in libpq's form."""

    gateway_host: str = setting(host, default="0.0.0.0")  # noqa: S104 (reached through a network)
    gateway_port: int = setting(port, default=8000)
    gateway_metrics_port: int = setting(port_or_none, default=0)
    public_url: str | None = setting(public_url, default=None)
    agents_url: str | None = setting(url("ws", "wss"), default=None)
    trusted_proxies: tuple[str, ...] = setting(networks, default=())
    backend_cors_origins: tuple[str, ...] = setting(origins, default=("*",))
    sign_in_pages: tuple[str, ...] = setting(pages, default=())
    default_files_folder_name: str = setting(str, default="files")
    files_url: str | None = setting(url("s3"), default=None)
    max_file_bytes: int = setting(whole_number, default=100 * 1024 * 1024)
    max_import_bytes: int = setting(whole_number, default=512 * 1024 * 1024)
    files_bytes_per_user: int = setting(limit, default=10 * 1024**3)

    drain_grace: float = setting(pause, default=3.0)

    request_timeout: float = setting(seconds, default=600.0)
    max_message_bytes: int = setting(whole_number, default=512 * 1024)

    access_token_seconds: int = setting(whole_number, default=15 * 60)
    refresh_token_days: int = setting(whole_number, default=30)
    sign_in_days: int = setting(whole_number, default=90)
    recent_sign_in_seconds: int = setting(limit, default=15 * 60)
    """How long one that has just shown who it is need not show it again; 0: ever."""
    audit_days: int = setting(kept_days, default=365)

    allow_breached_passwords: bool = setting(flag, default=False)
    password_reset_seconds: int = setting(whole_number, default=3600)
    smtp_url: str | None = secret(
        smtp_url, default=None, texts=smtp_passwords, check=_lacks_for_mail
    )
    smtp_from: str | None = setting(mail_sender, default=None)
    mails_per_address: int = setting(limit, default=20)

    password_login: bool = setting(flag, default=True)
    oidc: tuple[ProviderSettings, ...] = family(
        ProviderSettings, PREFIX, name_of_provider, objection_to_providers
    )

    login_failures_per_address: int = setting(limit, default=100)
    login_failures_per_name: int = setting(limit, default=10)
    registrations_per_address: int = setting(limit, default=100)
    connections_per_address: int = setting(limit, default=200)
    sockets_per_user: int = setting(limit, default=100)
    calls_per_user: int = setting(limit, default=16)
    open_requests_per_user: int = setting(limit, default=100)
    monthly_budget: float = setting(money, default=0.0)
    """USD, of each user; 0 means that there is none."""
    agents_per_user: int = setting(limit, default=1000)
    flows_per_user: int = setting(limit, default=1000)
    mcp_servers_per_user: int = setting(limit, default=100)
    a2a_agents_per_user: int = setting(limit, default=100)
    model_providers_per_user: int = setting(limit, default=100)
    model_configs_per_user: int = setting(limit, default=1000)
    publications_per_user: int = setting(limit, default=100)
    groups_per_user: int = setting(limit, default=50)
    members_per_group: int = setting(limit, default=100)
    shares_per_group: int = setting(limit, default=200)
    keys_per_user: int = setting(limit, default=100)

    allow_private_urls: bool = setting(flag, default=False)
    refresh_seconds: float = setting(seconds, default=60.0)
    lookup_seconds: float = setting(seconds, default=20.0)

    @property
    def key_of_services(self) -> str | None:
        """What opens the routes for services: the router's key only where there is no other."""
        return self.service_api_key or self.master_be_api_key

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """Those of both services, and the password of the mail server."""
        return (*super().secret_texts, *(smtp_passwords(self.smtp_url) if self.smtp_url else ()))

    @property
    def public_origin(self) -> str | None:
        """The origin of PUBLIC_URL, as browsers send it."""
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url)
        return read_origin(f"{parts.scheme}://{parts.netloc}")
