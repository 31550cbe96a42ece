"""What is told of a server that lets somebody not in."""

import httpx2
import pytest

from gateway.remote.causes import describe_answer
from gateway.remote.challenges import GIVE
from gateway.remote.errors import NotLetInError, UnsuccessfulError

SENT = "what it is sent to know who asks"


def sentence(status: int, *challenges: str, was_sent: bool = False) -> str:
    headers = [("WWW-Authenticate", challenge) for challenge in challenges]
    error = describe_answer(httpx2.Response(status, headers=headers), was_sent=was_sent)
    assert isinstance(error, NotLetInError)
    assert error.status == status
    return error.sentence


@pytest.mark.parametrize(
    ("challenges", "clause"),
    [
        ([], f"it wants to know who asks, {GIVE}"),
        ([""], f"it wants to know who asks, {GIVE}"),
        (["\x01\x02"], f"it wants to know who asks, {GIVE}"),
        (["Bearer"], f"it wants a token, {GIVE}"),
        (['bearer realm="x"'], f"it wants a token, {GIVE}"),
        (['Basic realm="x"', 'Bearer realm="y"'], f"it wants a token, {GIVE}"),
        (['Basic realm="x", Bearer realm="y"'], f"it wants a token, {GIVE}"),
        (["Basic"], "it wants an `Authorization` of the kind Basic, give it in `headers`"),
        (["x" * 21], f"it wants to know who asks, {GIVE}"),
    ],
)
def test_what_a_server_wants_is_told(challenges: list[str], clause: str) -> None:
    assert sentence(401, *challenges) == f"It answers 401 Unauthorized: {clause}"
    assert sentence(403, *challenges) == f"It answers 403 Forbidden: {clause}"


def test_what_it_was_sent_and_does_not_take_is_told() -> None:
    told = sentence(401, "Bearer", was_sent=True)
    assert told == f"It answers 401 Unauthorized: {SENT} may be wrong or expired"
    told = sentence(403, was_sent=True)
    assert told == f"It answers 403 Forbidden: {SENT} is not enough"


def test_what_it_says_itself_is_for_who_asked() -> None:
    challenge = 'Bearer error="invalid_token", error_description="The token\texpired"'
    error = describe_answer(
        httpx2.Response(401, headers={"WWW-Authenticate": challenge}), was_sent=True
    )
    assert error.sentence.endswith("may be wrong or expired: The token expired")
    assert "The token" not in str(error)


def test_a_scope_that_is_lacking_is_named() -> None:
    challenge = 'Bearer error="insufficient_scope", scope="files:read files:write"'
    told = sentence(403, challenge, was_sent=True)
    assert told.endswith("is not enough: it wants the scope files:read files:write")


def test_other_answers_are_no_refusals() -> None:
    for status in (400, 404, 407, 500):
        error = describe_answer(httpx2.Response(status))
        assert isinstance(error, UnsuccessfulError)
        assert not isinstance(error, NotLetInError)
