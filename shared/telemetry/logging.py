"""What the processes log: one line an event on stderr, without secrets, and who it is about."""

import logging
import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from logging.config import dictConfig
from logging.handlers import QueueHandler
from queue import Full, Queue
from threading import Thread
from typing import Any
from uuid import UUID

import orjson
from structlog.contextvars import bind_contextvars, merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import Processor

from shared.postgres.audited import NAMES
from shared.secrets import REDACTED
from shared.settings.readers import LogFormat
from shared.telemetry import metrics
from shared.telemetry.redaction import create_redaction, escape, secret_name
from shared.telemetry.tracing import traceparent

WAITING_LINES = 2_000  # that stderr has not taken yet
ID_LIMIT = 255  # characters of an id or a name, which anybody may have made up
FLUSH_SECONDS = 2.0  # at the end of the process

# What strangers' servers answer is their business; who asked logs it in one line. What programs
# send that A2A forbids is told them.
_SILENT = {"a2a": "ERROR", "httpx2": "WARNING", "mcp": "CRITICAL"}

# Their debug lines hold frames and statements, and with those secrets.
_QUIET = ("asyncpg", "databases", "opentelemetry", "urllib3", "uvicorn", "websockets")

_OURS = ("timestamp", "level", "logger")
_TEXTS = ("exception", "stack")  # of several lines


def bind_log_ids(**ids: UUID | str) -> None:
    """Have all that this task and those that it starts log say whom it is about.

    The names are `request_id`, `session_id`, `user_id`, `agent_id` and `username`.
    """
    bind_contextvars(**{name: str(id_)[:ID_LIMIT] for name, id_ in ids.items()})


class StderrHandler(QueueHandler):
    """Makes lines here, where the context of the task is known, and writes them in a thread.

    A pipe that nobody empties would stop the event loop at the next line, and with it every
    user: lines that find no room are dropped, and counted. (The library's `QueueListener` would
    wait for such a pipe at the end of the process, without a bound.)
    """

    def __init__(self) -> None:
        self._lines: Queue[logging.LogRecord | None] = Queue(WAITING_LINES)
        super().__init__(self._lines)
        self._dropped = 0
        self._writing = Thread(target=self._write, name="log", daemon=True)
        self._writing.start()

    def close(self) -> None:
        """Write what waits, but not for long; called by `logging` at the end of the process."""
        super().close()
        with suppress(Full):
            self._lines.put(None, timeout=FLUSH_SECONDS)
        self._writing.join(FLUSH_SECONDS)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand over a line, or count it where there is no room."""
        try:
            self._lines.put_nowait(record)
        except Full:
            self._dropped += 1
            metrics.LOG_LINES_DROPPED.inc()
            return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            logging.getLogger(__name__).warning("%d lines were dropped before this one", dropped)
            if self._dropped:  # that line itself found no room: the next one says it
                self._dropped = dropped

    def _write(self) -> None:
        while (record := self._lines.get()) is not None:
            rest = memoryview(f"{record.msg}\n".encode())
            try:
                while rest:
                    rest = rest[os.write(sys.stderr.fileno(), rest) :]
            except OSError:  # nobody reads any more
                metrics.LOG_LINES_DROPPED.inc()


def configure_logging(
    *, debug: bool, style: LogFormat = "auto", secrets: Iterable[str] = ()
) -> None:
    """Send everything to stderr, ours and the libraries', without these secrets.

    As text for people, as JSON for whatever collects logs; `auto`: as text on a terminal.
    """
    is_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    formatter = create_formatter(secrets, is_text=is_text)
    logging.captureWarnings(capture=True)
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": lambda: formatter}},
            "handlers": {"stderr": {"()": StderrHandler, "formatter": "line"}},
            "root": {"level": "DEBUG" if debug else "INFO", "handlers": ["stderr"]},
            "loggers": {
                **{name: {"level": "INFO"} for name in _QUIET},
                **{name: {"level": level} for name, level in _SILENT.items()},
            },
        }
    )


def create_formatter(secrets: Iterable[str], *, is_text: bool) -> logging.Formatter:
    """What makes a line of a record of the standard library's logging."""
    redact = create_redaction(secrets)

    def clean(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {name: _clean(name, value) for name, value in event.items()}

    def _clean(name: str, value: object) -> object:
        if name in _OURS:
            return value
        if secret_name.search(name):
            return REDACTED
        text = redact(value if isinstance(value, str) else str(value))
        return text if name in _TEXTS else escape(text)

    rendering: list[Processor] = [_render_json]
    if is_text:
        console = ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=plain_traceback, pad_level=False
        )
        rendering = [_indent, console]
    return ProcessorFormatter(
        processors=[
            TimeStamper(fmt="iso"),
            merge_contextvars,
            ExtraAdder(NAMES),
            _describe,
            ProcessorFormatter.remove_processors_meta,
            format_exc_info,
            clean,
            *rendering,
        ]
    )


def _describe(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    record: logging.LogRecord = event["_record"]
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    if current := traceparent():
        event["trace_id"] = current.split("-")[1]
    return event


def _render_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps({**{name: event[name] for name in _OURS}, **event}).decode()


def _indent(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A line of a traceback can't be taken for one of the log's own."""
    indented = {
        name: event[name].replace("\n", "\n    ") for name in _TEXTS if event.get(name) is not None
    }
    return {**event, **indented}
