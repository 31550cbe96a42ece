"""Who was refused at a door: counted, and logged once a second for each reason."""

import logging
from time import monotonic

from agent_bridge.doors import metrics

logger = logging.getLogger(__name__)

LOG_SECONDS = 1.0


class Refusals:
    """Counts all, logs some: anybody who reaches a door could fill the log."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def note(self, reason: str, what: str) -> None:
        """Somebody was refused."""
        metrics.REFUSED.labels(reason).inc()
        now = monotonic()
        if now - self._told.get(reason, -LOG_SECONDS) >= LOG_SECONDS:
            self._told[reason] = now
            logger.warning("refused at the door: %s", what)
