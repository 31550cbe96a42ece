"""Refresh tokens as such."""

from base64 import urlsafe_b64decode
from uuid import uuid4

from gateway.signins.refresh import PREFIX, make_refresh_token, read_refresh_token

KEY = "a key"


def test_each_refresh_token_has_256_random_bits() -> None:
    id_ = uuid4()
    tokens = [make_refresh_token(KEY, id_) for _ in range(100)]
    assert {read_refresh_token(KEY, token) for token in tokens} == {id_}
    whole = [urlsafe_b64decode(token.removeprefix(PREFIX) + "==") for token in tokens]
    random = {each.removeprefix(id_.bytes)[:-16] for each in whole}
    assert {len(each) for each in random} == {32}
    assert len(random) == len(tokens)
