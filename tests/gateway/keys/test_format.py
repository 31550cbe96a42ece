"""How an API key looks, and what is told of one without asking."""

import re
from zlib import crc32

import pytest

from gateway.keys.format import PATTERN, PREFIX, _in_base62, hash_of, is_whole, make_key
from tests.docs.pages import DOCS

GOOD = "genai_0000000000000000000000000000000000000000000" + _in_base62(crc32(b"0" * 43), 6)


def test_a_new_key_is_whole_and_no_two_are_the_same() -> None:
    keys = {make_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(map(is_whole, keys))
    assert {len(key) for key in keys} == {len(PREFIX) + 49}
    assert len({hash_of(key) for key in keys}) == 1000


def test_the_checksum_is_that_of_the_characters_behind_the_prefix() -> None:
    assert is_whole(GOOD)
    assert crc32(b"0" * 43) == 2018072207
    assert GOOD[-6:] == "2CZclj"


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_whatever_is_typed_wrong_is_noticed(place: int) -> None:
    other = "b" if GOOD[place] != "b" else "c"
    assert not is_whole(GOOD[:place] + other + GOOD[place + 1 :])


@pytest.mark.parametrize(
    "key", ["", PREFIX, GOOD[:-1], GOOD + "0", GOOD + "\n", GOOD[:-1] + "é", GOOD[:-1] + "\ud800"]
)
def test_what_is_no_key_is_none(key: str) -> None:
    assert not is_whole(key)
    assert hash_of(key)


def test_the_page_for_owners_tells_the_pattern_to_secret_scanners() -> None:
    assert f"`{PATTERN}`" in (DOCS / "how-to/api-keys.md").read_text()
    assert re.search(PATTERN, f"key={make_key()}&x=1")
