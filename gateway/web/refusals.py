"""What the log says of what is refused: from where it came, and whose it is, but no secret."""

import logging

from starlette.requests import HTTPConnection

from gateway.web.addresses import host_of
from shared.telemetry.seldom import warn_seldom

logger = logging.getLogger(__name__)

LOGIN_FAILED = "a login failed"
TOO_MANY_LOGINS = "a login was refused: too many have failed"
TOO_MANY_REGISTRATIONS = "a registration was refused: too many come from its address"
TOO_MANY_MAILS = "a mail was refused: too many were asked for"
PASSWORD = "a password was refused where it was asked for again"  # noqa: S105 (a sentence)
ONE_TIME_TOKEN = "a one-time token was refused"  # noqa: S105 (a sentence)
LOCKED = "a sign-in was refused: its user is locked, or gone"
REFRESH_TOKEN = "a refresh token was refused"  # noqa: S105 (a sentence)
REUSED = "a refresh token came a second time: its sign-in was ended"
CODE = "a code of a sign-in by a provider was refused"
PROVIDER = "a sign-in by a provider failed"
LOGOUT_TOKEN = "a logout token of a provider was refused"  # noqa: S105 (a sentence)
TOKEN = "a token was refused"  # noqa: S105 (a sentence)
API_KEY = "an API key was refused"
TOO_MANY_KEYS = "an API key was refused: too many unknown ones come from its address"
TOO_MANY_CALLS = "a call was refused: too many of its user's are worked on"
TOO_MANY_SOCKETS = "a socket was refused: its user has too many"
TOO_MANY_MESSAGES = "a message was refused: too many of its user's wait"
BUDGET_SPENT = "a message was refused: its user's budget is spent"


def log_refusal(what: str, connection: HTTPConnection) -> None:
    """Log what was refused, one of the above, and what else this task has bound."""
    warn_seldom(logger, what, address=host_of(connection))
