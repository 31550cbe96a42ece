"""Frames of the router that are nothing to the bridge: anybody may cause any number of them."""

import logging
from typing import Literal

from agent_bridge import metrics
from shared.telemetry.seldom import log_seldom

logger = logging.getLogger(__name__)

type Connection = Literal["session", "lane"]


def skip(connection: Connection) -> None:
    """Count a frame that came there, and log it, once a second at most."""
    metrics.ROUTER_FRAMES_SKIPPED.labels(connection).inc()
    what = f"the router sent a frame of no known form, or about no request: {connection}"
    log_seldom(logger, logging.INFO, what)
