"""Who was refused at a door: counted, and logged as seldom as anybody needs."""

import logging

from agent_bridge import metrics
from shared.telemetry.seldom import warn_seldom

logger = logging.getLogger(__name__)


def note_refusal(reason: str, what: str, **fields: str) -> None:
    """Count it by its reason, and say what was refused to whom."""
    metrics.DOOR_REFUSED.labels(reason).inc()
    warn_seldom(logger, what, **fields)
