"""Answers of servers that let somebody not in: what they want instead, as a clause about them.

A challenge is that of RFC 9110, 11.6.1; of the scheme Bearer those of RFC 6750, 3.
"""

import re
from http import HTTPStatus

import httpx2

from gateway.remote.errors import NotLetInError

REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
GIVE = "give it a `bearer_token`, or the `headers` that it takes"

_bearer = re.compile(r"(?:^|,)\s*Bearer(?:\s|,|$)", re.IGNORECASE)
_scheme = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,19})(?:\s|,|$)")
_parameter = re.compile(r'(?<![\w-])(?P<name>[\w-]+)=(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s,]+))')


def describe_refusal(answer: httpx2.Response, *, was_sent: bool, ways: str) -> NotLetInError:
    """What a 401 or 403 says, where it was sent credentials or none; `ways` are those to get in.

    What the server says itself is for who asked, and for no log.
    """
    status = HTTPStatus(answer.status_code)
    parameters = _parameters(answer)
    said = parameters.get("error_description", "")
    if parameters.get("error") == "insufficient_scope" and (scope := parameters.get("scope")):
        said = said or f"it wants the scope {scope}"
    clause = _clause(answer, status, was_sent=was_sent, ways=ways)
    return NotLetInError(f"it answers {status} {status.phrase}: {clause}", status, said)


def _parameters(answer: httpx2.Response) -> dict[str, str]:
    """Those of all its challenges, the first of each name."""
    found = _parameter.finditer(answer.headers.get("WWW-Authenticate", ""))
    said = [(each["name"], each["quoted"] or each["plain"] or "") for each in found]
    return dict(reversed(said))


def _clause(answer: httpx2.Response, status: HTTPStatus, *, was_sent: bool, ways: str) -> str:
    challenge = answer.headers.get("WWW-Authenticate", "")
    if was_sent:
        what = "may be wrong or expired" if status is HTTPStatus.UNAUTHORIZED else "is not enough"
        return f"what it is sent to know who asks {what}"
    if _bearer.search(challenge):
        return f"it wants a token, {ways}"
    if scheme := _scheme.match(challenge):
        return f"it wants an `Authorization` of the kind {scheme[1]}, give it in `headers`"
    return f"it wants to know who asks, {ways}"
