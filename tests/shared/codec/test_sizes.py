"""Sizes as people say them."""

import pytest

from gateway.web.texts import is_blank
from shared.codec.sizes import in_units


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (1000, "1,000 bytes"),
        (1024, "1 KB"),
        (65_536, "64 KB"),
        (1_048_575, "1,023.9 KB"),
        (104_857_600, "100 MB"),
        (105_906_176, "101 MB"),
        (1_600_000, "1.5 MB"),
        (1_073_741_823, "1,023.9 MB"),
        (10_737_418_240, "10 GB"),
    ],
)
def test_a_size_is_said_in_units_and_never_as_more_than_it_is(size: int, told: str) -> None:
    assert in_units(size) == told


@pytest.mark.parametrize("text", ["", " ", "\u00a0\t", "\u200b", "\u3000\ufeff"], ids=ascii)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " .", "\u200ba", "😀"], ids=ascii)
def test_what_shows_something_is_not(text: str) -> None:
    assert not is_blank(text)
