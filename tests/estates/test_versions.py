"""The versions that the documentation names are those that are tried."""

from tests.docs.pages import DOCS, read_rows
from tests.estates.programs import NAMES


def test_the_table_has_what_is_tried_and_no_more() -> None:
    rows = [row for row in read_rows(DOCS / "how-to/redis.md") if row[0] in {"Redis", "Valkey"}]
    told = [f"{server} {each}" for server, versions in rows for each in versions.split(", ")]
    assert sorted(told) == sorted(NAMES)
