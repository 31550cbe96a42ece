"""Lines that anybody could cause as often as he likes: of each kind one a second."""

from collections import defaultdict
from logging import WARNING, Logger
from math import inf
from time import monotonic

from attrs import define
from structlog.contextvars import bound_contextvars

LOG_SECONDS = 1.0


@define
class _Kind:
    told: float = -inf
    left_out: int = 0


_kinds = defaultdict[str, _Kind](_Kind)


def warn_seldom(logger: Logger, message: str, **fields: str) -> None:
    """Log a warning, as `log_seldom` does."""
    log_seldom(logger, WARNING, message, **fields)


def log_seldom(logger: Logger, level: int, message: str, **fields: str) -> None:
    """Log it with these fields, if none of this message was logged for a second.

    The next one of this message has `left_out`, how many were not. A message is one of few that
    the source has; what others make up goes into fields.
    """
    kind, now = _kinds[message], monotonic()
    if now - kind.told < LOG_SECONDS:
        kind.left_out += 1
        return
    if kind.left_out:
        fields = {**fields, "left_out": str(kind.left_out)}
    kind.told, kind.left_out = now, 0
    with bound_contextvars(**fields):
        logger.log(level, "%s", message)
