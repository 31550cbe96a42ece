"""How deep JSON may be nested: what walks through it is bounded so."""

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
