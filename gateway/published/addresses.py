"""Where what is published is called, and its card is read."""

PREFIX = "/a2a/"
CARD_PATH = "/.well-known/agent-card.json"
CARD_PATH_OF_BEFORE = "/.well-known/agent.json"  # where clients of 0.2 look


def url_of(base: str, alias: str) -> str:
    """Where it is called, in either binding."""
    return f"{base}{PREFIX}{alias}"
