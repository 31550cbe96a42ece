"""Running a service: settings, logging, uvicorn, and an exit code that tells the truth."""

import sys
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from shared.logging import configure_logging
from shared.settings import Settings, SettingsError, load_settings

CLOSE_SECONDS = 10
HARD_LIMIT = 16  # times the message limit: closed with 1009; anything below gets an answer


def serve(
    create_app: Callable[[Settings], Starlette], address: Callable[[Settings], tuple[str, int]]
) -> None:
    """Run the service until it is told to stop; exits with 1 when it can't start or go on."""
    try:
        settings = load_settings(Settings)
    except SettingsError as error:
        sys.exit(f"The settings are not complete: {error}.")
    configure_logging(
        debug=settings.debug, style=settings.log_format, secrets=settings.secret_texts
    )
    host, port = address(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=host,
            port=port,
            lifespan="on",
            loop="uvloop",
            ws="websockets-sansio",
            ws_max_size=HARD_LIMIT * settings.max_message_bytes,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
            access_log=settings.debug,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            log_config=None,
        )
    )
    server.run()
    if not server.started or server.lifespan.error_occured:
        sys.exit(1)
