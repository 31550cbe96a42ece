"""Secrets that protect nothing: those that were published, and those that anybody would try."""

import re

PUBLISHED = frozenset(
    {
        # Defaults of the installation that this one replaces, and of the message router.
        "c41302ce0f1758f4ae5dcc65729fd50a",
        "7a3fd399-3e48-46a0-ab7c-0eaf38020283::master_server_be",
        "e1adc3d8-fca1-40b2-b90a-7b48290f2d6a::master_server_ml",
    }
)
SHORTEST = 8  # characters
LONGEST_REPEATED = 10  # characters: 1234567890 over and over

_words = re.compile(
    "admin|api|backend|change[-_ ]?(it|me|this)|default|demo|dev|encryption|example|genai|here"
    "|jwt|key|letmein|local|master|my|password|please|postgresql|postgres|pwd|qwerty|replace|root"
    "|secret|server(_be|_ml)?|service|string|super|test|token|user|very|your",
    re.IGNORECASE,
)
_letters = re.compile(r"[^\W\d_]")


def is_weak(secret: str) -> bool:
    """Whether it is published, short, repeats itself or has only words that say what it is."""
    return secret in PUBLISHED or len(secret) < SHORTEST or _repeats(secret) or _is_obvious(secret)


def _repeats(secret: str) -> bool:
    return any(
        secret == (secret[:length] * len(secret))[: len(secret)]
        for length in range(1, min(LONGEST_REPEATED, len(secret) // 2) + 1)
    )


def _is_obvious(secret: str) -> bool:
    rest, words = _words.subn("", secret)
    return words > 0 and _letters.search(rest) is None
