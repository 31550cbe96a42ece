"""Words that make a password easy to guess here, and that no list of breaches can know."""

from urllib.parse import urlsplit

from gateway.accounts.names import fold
from shared.settings.gateway import GatewaySettings

# docs/reference/asvs.md tells them.
WORDS = frozenset(
    {
        *("admin", "administrator", "agent", "agents", "chat", "demo", "gateway", "genai"),
        *("genaibackend", "masteragent", "operator", "root", "user"),
    }
)
GUESSABLE = (
    "This password is easy to guess here: a name with digits and signs. Please choose another one"
)


def find_guessable(password: str, username: str, settings: GatewaySettings) -> str | None:
    """Why a password is refused that has no letters but those of a word of this place."""
    if settings.allow_breached_passwords:
        return None
    host = urlsplit(settings.public_url or "").hostname or ""
    words = WORDS.union(map(_letters, (username, *host.split("."))))
    return GUESSABLE if _letters(password) in words else None


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, fold(text)))
