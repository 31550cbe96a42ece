"""How times are written."""

from datetime import UTC, datetime

import orjson


def format_time(time: datetime) -> str:
    """UTC in ISO 8601, always with six digits and no offset: the front-end appends its own Z."""
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    text = orjson.dumps(time).decode()[1:-1]  # a fifth of what isoformat takes
    return text if time.microsecond else f"{text}.000000"
