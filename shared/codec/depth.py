"""How deep JSON may be nested, and how much be in it: what walks through it is bounded so."""

DEPTH_LIMIT = 100  # levels; frames add some of their own


def is_too_deep(value: object, limit: int = DEPTH_LIMIT) -> bool:
    """Whether a parsed JSON value has more levels than that."""
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, list):
        parts = value
    else:
        return False
    return limit == 0 or any(is_too_deep(part, limit - 1) for part in parts)


def has_more_values(value: object, most: int) -> bool:
    """Whether there are more values in a parsed JSON value than that, those in others too."""
    waiting, count = [value], 0
    while waiting and count <= most:
        match waiting.pop():
            case dict() as parts:
                waiting.extend(parts.values())
                count += len(parts)
            case list() as parts:
                waiting.extend(parts)
                count += len(parts)
    return count > most
