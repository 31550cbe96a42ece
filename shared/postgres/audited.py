"""Logs what a session has added to the audit log, of which PostgreSQL tells it by a message.

So what is logged is what is stored, and all of it, whoever of us has changed what is noted.
"""

import logging
from contextvars import Context
from json import loads
from typing import Any

from shared.codec.text import write_json

logger = logging.getLogger("audit")

AUDITED = "01AUD"  # the message's code; migrations/…-audit.sql
NAMES = (
    *("action", "via", "actor_id", "credential_id", "address"),
    *("object_id", "owner_id", "details"),
)
"""What such a line has besides, as far as it is known."""


def log_entry(text: str) -> None:
    """Log an entry, without what was bound by the task that once opened the connection."""
    entry: dict[str, Any] = loads(text)
    told = {name: entry[name] for name in NAMES if name in entry}
    details = write_json(told["details"]).decode()
    Context().run(logger.info, "audit", extra={**told, "details": details})
