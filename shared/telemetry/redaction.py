"""Takes out of a text what must not stand in a log: secrets, and what would forge lines."""

import re
from collections.abc import Callable, Iterable

from shared.secrets import REDACTED, forms_of, hide

LIMIT = 8 * 1024  # characters of a text
CUT_MARK = " … [cut] … "

_NAMES = (
    "token|api[-_]?key|password|passwd|pwd|secret|secret[-_]?key|authorization|credentials?"
    "|x-custom-invoke-key"
)

secret_name = re.compile(rf"(^|[-_])({_NAMES})$", re.IGNORECASE)
"""Finds names of what is secret."""

# What stands before a secret, and the secret. Each is linear in the length of the text, whatever
# somebody had logged: no pattern begins within what it repeats.
_NAMED = rf"((?:{_NAMES})(?:=[\"']?|[\"']\s*:\s*b?[\"']))[^\s&\"',;)}}\]]+"
_CREDENTIALS = r"(\b(?:bearer|authorization[\"']?[:=]\s*[\"']?basic)\s+)[\w.~+/=-]{8,}"
_IN_URL = r"(://[^\s/:@]*:)[^\s/@]+(?=@)"
_JWT = r"()(?<![\w-])eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"
_OUR_KEY = r"()(?<![\w-])genair?_[\w-]{8,}"  # an API key, or a refresh token
_PROVIDER_KEY = r"()(?<![\w-])sk-[\w-]{8,}"

_secrets = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (_NAMED, _CREDENTIALS, _IN_URL, _JWT, _OUR_KEY, _PROVIDER_KEY)
]

# Control characters, further ends of lines, changes of direction, halves of characters.
_odd = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def hide_secrets(text: str) -> str:
    """The text without what looks like a secret: tokens, keys, passwords by their names."""
    for pattern in _secrets:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def escape(text: str) -> str:
    """The text on one line, and without any character that would change how it is shown."""
    return _odd.sub(lambda odd: odd[0].encode("unicode_escape").decode(), text)


def create_redaction(secrets: Iterable[str]) -> Callable[[str], str]:
    """What makes a text fit for a log: these secrets and all that look so are hidden.

    A text of more than `LIMIT` characters loses its middle. Ends of lines stay.
    """
    forms = forms_of(secrets)

    def redact(text: str) -> str:
        long = len(text) > LIMIT
        if long:  # what is searched has a bound too; half a secret would not be found
            text = text[:LIMIT] + CUT_MARK + text[-LIMIT:]
        text = hide_secrets(hide(text, forms))
        if long:
            text = text[: LIMIT // 2] + CUT_MARK + text[-LIMIT // 2 :]
        return "\n".join(map(escape, text.split("\n")))

    return redact
