"""What the processes log: one line an event on stderr, without tokens."""

import logging
import re
from logging.config import dictConfig

# uvicorn logs the whole URL of a WebSocket, whatever its access log is set to.
_token = re.compile(r"((?:^|[?&])token=)[^&\s\"']+", re.IGNORECASE)

# What strangers' servers answer is their business; who asked logs it in one line.
_SILENT = {"httpx2": "WARNING", "mcp": "CRITICAL"}

# Their debug lines hold frames and statements, and with those secrets.
_QUIET = ("asyncpg", "databases", "uvicorn", "websockets")


class WithoutTokens(logging.Filter):
    """Hides the token of a front-end's WebSocket URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is dropped."""
        message = record.getMessage()
        if _token.search(message):
            record.msg, record.args = _token.sub(r"\1********", message), None
        return True


def configure_logging(*, debug: bool) -> None:
    """Send everything to stderr, ours and the libraries'."""
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"without_tokens": {"()": WithoutTokens}},
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)-8s %(name)s: %(message)s"},
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "line",
                    "filters": ["without_tokens"],
                },
            },
            "root": {"level": "DEBUG" if debug else "INFO", "handlers": ["stderr"]},
            "loggers": {
                **{name: {"level": "INFO"} for name in _QUIET},
                **{name: {"level": level} for name, level in _SILENT.items()},
            },
        }
    )
