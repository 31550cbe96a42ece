"""Why a visit led to nothing, as a clause about who was visited."""

import os
import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpx2

from gateway.remote.challenges import GIVE, REFUSALS, describe_refusal
from gateway.remote.errors import UnreachableError, UnsuccessfulError
from gateway.remote.urls import show

# The first that fits an error is what is said of it.
_CLAUSES: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "no TLS connection to it can be made"),
    (OSError, "the connection to it fails"),
    (httpx2.ConnectTimeout, "it can't be connected to in time"),
    (httpx2.TimeoutException, "it gives no answer in time"),
    (httpx2.InvalidURL, "its URL is none"),
    (httpx2.ProtocolError, "it breaks the connection off, or does not speak HTTP"),
    (httpx2.NetworkError, "it breaks the connection off"),
)


def explain(error: Exception) -> UnreachableError:
    """What is known of an error on the way: the most exact cause is at its bottom."""
    clauses = (_find_clause(one) for one in _chain(error))
    return UnreachableError(next(filter(None, clauses), "it can't be visited"))


def describe_answer(
    answer: httpx2.Response, *, was_sent: bool = False, ways: str = GIVE
) -> UnsuccessfulError:
    """What is known by an answer's status, which is none of success.

    For one that lets nobody in: whether it was sent credentials, and the ways to get in.
    """
    if answer.status_code in REFUSALS:
        return describe_refusal(answer, was_sent=was_sent, ways=ways)
    try:
        status = f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"
    except ValueError:
        status = str(answer.status_code)
    target = answer.next_request
    where = f", to {show(target.url)}" if target else ""
    return UnsuccessfulError(f"it answers {status}{where}", answer.status_code)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, which comes before it."""
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error


def _find_clause(error: BaseException) -> str | None:
    clause = next((clause for kind, clause in _CLAUSES if isinstance(error, kind)), None)
    detail = _find_detail(error)
    if isinstance(error, OSError) and detail is None:
        return None  # only wraps what others know more of
    return f"{clause} ({detail})" if clause and detail else clause


def _find_detail(error: BaseException) -> str | None:
    """What the system or OpenSSL says; their longer texts hold addresses and lines of code."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return error.reason
        case OSError(errno=int(number)):
            return os.strerror(number)
    return None
