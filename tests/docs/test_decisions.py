"""Decisions are records of one form, in order, and the index tells of each what it says itself."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, read_rows

FOLDER = DOCS / "explanation/decisions"
INDEX = FOLDER / "README.md"
DECISIONS = sorted(page for page in PAGES if page.parent == FOLDER and page != INDEX)
PARTS = ["Context", "Decision", "Alternatives tried", "Consequences"]
SUPERSEDED = re.compile(r"superseded by \[(\d+)\]")
SUPERSEDES = re.compile(r"supersedes \[(\d+)\]")


def _read_head(page: Path) -> tuple[str, str, str, str]:
    """Number, title, date and status."""
    match = re.match(r"# (\d+)\. (.+)\n\n(\d{4}-\d\d-\d\d), (.+)\n", PAGES[page])
    assert match, page.name
    number, title, date, status = match.groups()
    return number, title, date, status


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_has_the_parts_of_all(page: Path) -> None:
    parts = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)
    assert parts == [part for part in PARTS if part in parts or part != "Alternatives tried"]
    assert len(PAGES[page].splitlines()) <= 30


def test_decisions_are_numbered_in_the_order_of_their_dates() -> None:
    heads = [_read_head(page) for page in DECISIONS]
    numbers = [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert [page.name[:4] for page in DECISIONS] == numbers
    assert [f"{int(number):04}" for number, *_ in heads] == numbers
    dates = [date for _, _, date, _ in heads]
    assert dates == sorted(dates)


def test_the_index_has_each_with_its_date_and_status() -> None:
    expected = []
    for page in DECISIONS:
        number, title, date, status = _read_head(page)
        told = "superseded by " + found[1] if (found := SUPERSEDED.match(status)) else "accepted"
        expected.append([number, f"[{title}]({page.name})", date, told])
    assert read_rows(INDEX) == expected


def test_who_supersedes_is_named_by_who_is_superseded() -> None:
    heads = [_read_head(page) for page in DECISIONS]
    newer = {(n, old) for n, _, _, status in heads for old in SUPERSEDES.findall(status)}
    older = {(new, n) for n, _, _, status in heads for new in SUPERSEDED.findall(status)}
    assert newer == older
    assert newer
