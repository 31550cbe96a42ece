"""Frames of the router that are nothing to the bridge: anybody may cause any number of them."""

import logging
from time import monotonic
from typing import Literal

from agent_bridge import metrics

logger = logging.getLogger(__name__)

LOG_SECONDS = 1.0

type Connection = Literal["session", "lane"]

_told: dict[Connection, float] = {}


def skip(connection: Connection) -> None:
    """Count a frame that came there, and log it, once a second at most."""
    metrics.ROUTER_FRAMES_SKIPPED.labels(connection).inc()
    now = monotonic()
    if now - _told.get(connection, -LOG_SECONDS) >= LOG_SECONDS:
        _told[connection] = now
        logger.info("the router sent a frame of no known form, or about no request: %s", connection)
