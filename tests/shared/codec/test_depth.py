"""How much there is in a JSON value."""

import pytest

from shared.codec.depth import has_more_values


@pytest.mark.parametrize(
    ("value", "count"),
    [(5, 0), ("text", 0), ([], 0), ([1, "a", None], 3), ({"a": 1, "b": {"c": [1, 2]}}, 5)],
)
def test_values_are_counted_wherever_they_stand(value: object, count: int) -> None:
    assert not has_more_values(value, count)
    assert has_more_values(value, count - 1)


def test_what_is_nested_as_deep_as_can_be_is_counted() -> None:
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    assert has_more_values(value, 9_999)
    assert not has_more_values(value, 10_000)
