"""Tokens: good ones are read, all others are None, and none raises."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import uuid4

import pytest

from shared.tokens import (
    AGENT_TOKEN_EXPIRY,
    USER_TOKEN_SECONDS,
    Claims,
    has_expired,
    is_whole,
    issue_agent_token,
    issue_user_token,
    names_agent,
    read_token,
    restore_token,
    stored_forms,
    without_signature,
)

KEY = "k" * 32
USER, AGENT = uuid4(), uuid4()
LATER = int(time.time()) + 86_400  # after the last test, however long the first take


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_text(header: str, payload: str, key: str = KEY, digest: str = "sha256") -> str:
    signed = f"{b64(header.encode())}.{b64(payload.encode())}"
    signature = hmac.new(key.encode(), signed.encode(), digest).digest()
    return f"{signed}.{b64(signature)}"


def sign(claims: object, header: object = None, key: str = KEY, digest: str = "sha256") -> str:
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    return sign_text(json.dumps(header), json.dumps(claims), key, digest)


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def test_a_user_token_names_its_user() -> None:
    assert read_token(KEY, issue_user_token(KEY, USER)) == Claims(USER)


def test_a_user_token_has_just_sub_and_exp_six_hours_on() -> None:
    claims = claims_of(issue_user_token(KEY, USER))
    assert claims.keys() == {"sub", "exp"}
    assert abs(claims["exp"] - time.time() - USER_TOKEN_SECONDS) < 5


def test_an_agent_token_names_its_agent_and_its_creator() -> None:
    assert read_token(KEY, issue_agent_token(KEY, AGENT, USER)) == Claims(USER, AGENT)


def test_an_agent_token_lives_until_the_year_9999() -> None:
    claims = claims_of(issue_agent_token(KEY, AGENT, USER))
    assert claims.pop("jti")
    assert claims == {"sub": str(AGENT), "exp": AGENT_TOKEN_EXPIRY, "user_id": str(USER)}


def test_an_agent_token_may_live_so_many_seconds() -> None:
    claims = claims_of(issue_agent_token(KEY, AGENT, USER, 3600))
    assert abs(claims["exp"] - time.time() - 3600) < 5


def test_two_agent_tokens_are_never_the_same() -> None:
    assert len({issue_agent_token(KEY, AGENT, USER) for _ in range(10)}) == 10


def test_an_agent_token_that_has_expired_is_bad_and_known_to_have_been_good() -> None:
    token = issue_agent_token(KEY, AGENT, USER, 0)
    assert read_token(KEY, token) is None
    assert has_expired(KEY, token)
    assert not has_expired("x" * 32, token)
    assert not has_expired(KEY, issue_agent_token(KEY, AGENT, USER, 60))


def test_an_agent_token_that_was_good_has_expired_later(monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue_agent_token(KEY, AGENT, USER, 60)
    assert read_token(KEY, token) == Claims(USER, AGENT)
    monkeypatch.setattr(time, "time", lambda: LATER)
    assert read_token(KEY, token) is None
    assert has_expired(KEY, token)


def test_a_token_signed_elsewhere_with_our_key_is_good() -> None:
    assert read_token(KEY, sign({"sub": str(USER), "exp": LATER})) == Claims(USER)


def test_a_token_with_an_audience_is_read_without_fuss() -> None:
    read_token(KEY, sign({"sub": str(USER), "exp": LATER, "aud": "somebody"}))


def test_a_token_that_was_good_is_bad_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue_user_token(KEY, USER)
    assert read_token(KEY, token) == Claims(USER)
    monkeypatch.setattr(time, "time", lambda: LATER)
    assert read_token(KEY, token) is None


def test_a_token_that_was_good_is_bad_under_another_key() -> None:
    token = issue_user_token(KEY, USER)
    assert read_token(KEY, token) == Claims(USER)
    assert read_token("x" * 32, token) is None


GOOD = {"sub": str(USER), "exp": LATER}
BAD = {
    "expired": sign({**GOOD, "exp": 1}),
    "other key": sign(GOOD, key="x" * 32),
    "HS512 with our key": sign(GOOD, {"alg": "HS512"}, digest="sha512"),
    "HS384 with our key": sign(GOOD, {"alg": "HS384"}, digest="sha384"),
    "alg none": f"{b64(b'{"alg":"none"}')}.{b64(json.dumps(GOOD).encode())}.",
    "alg none, signed": sign(GOOD, {"alg": "none"}),
    "alg missing": sign(GOOD, {"typ": "JWT"}),
    "alg a number": sign(GOOD, {"alg": 5}),
    "alg a list": sign(GOOD, {"alg": ["HS256"]}),
    "alg unknown": sign(GOOD, {"alg": "HS257"}),
    "header a list": sign(GOOD, []),
    "header null": sign_text("null", json.dumps(GOOD)),
    "header no JSON": sign_text("{", json.dumps(GOOD)),
    "header deep": sign_text("[" * 100_000, json.dumps(GOOD)),
    "header unknown crit": sign(GOOD, {"alg": "HS256", "crit": ["x"], "x": 1}),
    "header odd crit": sign(GOOD, {"alg": "HS256", "crit": 5}),
    "header unencoded payload": sign(GOOD, {"alg": "HS256", "b64": False, "crit": ["b64"]}),
    "payload a list": sign([1]),
    "payload null": sign(None),
    "payload a text": sign("text"),
    "payload no JSON": sign_text('{"alg":"HS256"}', "{"),
    "payload deep": sign_text('{"alg":"HS256"}', "[" * 100_000),
    "no exp": sign({"sub": str(USER)}),
    "exp null": sign({**GOOD, "exp": None}),
    "exp a text": sign({**GOOD, "exp": "tomorrow"}),
    "exp a list": sign({**GOOD, "exp": [LATER]}),
    "exp an object": sign({**GOOD, "exp": {}}),
    "exp a boolean": sign({**GOOD, "exp": True}),
    "exp NaN": sign({**GOOD, "exp": float("nan")}),
    "no sub": sign({"exp": LATER}),
    "sub null": sign({**GOOD, "sub": None}),
    "sub an integer": sign({**GOOD, "sub": 5}),
    "sub a list": sign({**GOOD, "sub": [str(USER)]}),
    "sub an object": sign({**GOOD, "sub": {}}),
    "sub no UUID": sign({**GOOD, "sub": "somebody"}),
    "sub empty": sign({**GOOD, "sub": ""}),
    "user_id null": sign({**GOOD, "user_id": None}),
    "user_id an integer": sign({**GOOD, "user_id": 5}),
    "user_id no UUID": sign({**GOOD, "user_id": "x"}),
    "nbf in the future": sign({**GOOD, "nbf": LATER}),
    "nbf a text": sign({**GOOD, "nbf": "x"}),
    "empty": "",
    "a word": "garbage",
    "dots": "..",
    "five parts": "a.b.c.d.e",
    "blanks": " " + issue_user_token(KEY, USER),
    "not ASCII": "é.é.é",
    "NUL": "\x00",
    "a surrogate": "\ud800",
    "long": "a" * 1_000_000,
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_any_other_token_is_none(token: str) -> None:
    assert read_token(KEY, token) is None
    assert has_expired(KEY, token) == (token == BAD["expired"])


ODD: dict[str, dict[str, Any]] = {
    "aud a list": {"aud": ["a", 1]},
    "iat in the future": {"iat": LATER},
    "iat a text": {"iat": "x"},
    "iss a number": {"iss": 1},
    "jti an object": {"jti": {}},
    "exp far beyond the calendar": {"exp": 10**30},
}


@pytest.mark.parametrize("claims", ODD.values(), ids=ODD.keys())
def test_odd_claims_raise_nothing(claims: dict[str, Any]) -> None:
    assert read_token(KEY, sign({**GOOD, **claims})) in {None, Claims(USER)}


def test_a_changed_token_is_none() -> None:
    header, _, signature = issue_user_token(KEY, USER).split(".")
    payload = b64(json.dumps({"sub": str(uuid4()), "exp": LATER}).encode())
    assert read_token(KEY, f"{header}.{payload}.{signature}") is None


def test_a_signature_is_that_of_rfc_7515() -> None:
    header, payload, signature = issue_user_token(KEY, USER).split(".")
    expected = hmac.new(KEY.encode(), f"{header}.{payload}".encode(), hashlib.sha256).digest()
    assert signature == b64(expected)


@pytest.mark.parametrize("expires_in", [None, 60], ids=["for good", "for a minute"])
def test_what_is_stored_of_an_agents_token_is_none_and_becomes_it_again(
    expires_in: int | None,
) -> None:
    token = issue_agent_token(KEY, AGENT, USER, expires_in)
    stored = without_signature(token)
    assert read_token(KEY, stored) is None
    assert restore_token(KEY, USER, AGENT, stored) == token


def test_a_token_of_the_original_becomes_itself_again() -> None:
    claims = {"exp": AGENT_TOKEN_EXPIRY, "sub": str(AGENT), "user_id": str(USER)}
    token = sign(claims, {"typ": "JWT", "alg": "HS256"})
    assert restore_token(KEY, USER, AGENT, without_signature(token)) == token


def test_with_another_key_another_token_becomes_of_it() -> None:
    token, new_key = issue_agent_token(KEY, AGENT, USER), "n" * 32
    restored = restore_token(new_key, USER, AGENT, without_signature(token))
    assert restored != token
    assert read_token(new_key, restored) == Claims(USER, AGENT)


def test_a_whole_token_that_is_stored_stays_as_it_is() -> None:
    token = issue_agent_token(KEY, AGENT, USER)
    assert is_whole(token)
    assert not is_whole(without_signature(token))
    assert restore_token(KEY, USER, AGENT, token) == token
    assert stored_forms(token) == [without_signature(token), token]


def test_nothing_is_signed_but_what_names_the_agent_of_its_row() -> None:
    stored = without_signature(issue_agent_token(KEY, AGENT, USER))
    assert restore_token(KEY, USER, uuid4(), stored) == ""
    assert restore_token(KEY, uuid4(), AGENT, stored) == ""
    assert restore_token(KEY, None, AGENT, stored) != ""
    of_user = without_signature(issue_user_token(KEY, USER))
    assert restore_token(KEY, None, AGENT, of_user) == restore_token(KEY, USER, USER, of_user) == ""


@pytest.mark.parametrize(
    "stored",
    ["", ".", "a", "a.b", "a.ґ", f"a.{b64(b'[]')}", f"a.{b64(b'null')}", f"a.{b64(b'{}')}"],
    ids=["empty", "dot", "word", "no JSON", "no ASCII", "list", "null", "no claims"],
)
def test_of_what_is_no_token_none_becomes(stored: str) -> None:
    assert not names_agent(stored, None, AGENT)
    assert restore_token(KEY, USER, AGENT, stored) == ""
