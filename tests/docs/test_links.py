"""Links lead somewhere, and each page can be reached by them."""

from pathlib import Path

import pytest

from tests.docs.links import find_anchors, find_broken, find_links
from tests.docs.pages import PAGES, PROJECT, README


def test_every_link_leads_somewhere() -> None:
    assert find_broken(PAGES) == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = {README}, {README}
    while new:
        linked = {(page.parent / to).resolve() for page in new for to, _ in find_links(PAGES[page])}
        new = linked & PAGES.keys() - reached
        reached |= new
    assert PAGES.keys() - reached == set()


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [
        ("[there](README.md)", False),
        ("[there](README.md#read-on)", False),
        ("[there](#here)\n# Here", False),
        ("[out](https://example.org/nothing)", False),
        ("`[code](nowhere.md)`\n```\n[code](nowhere.md)\n```", False),
        ("[nowhere](nowhere.md)", True),
        ("[of two\nlines](nowhere.md)", True),
        ("[no heading](README.md#nothing)", True),
        ("[`no heading`](#nothing)\n```\n# nothing\n```", True),
    ],
)
def test_a_link_is_broken_where_there_is_no_such_page_or_heading(
    text: str, is_broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.links.PROJECT", tmp_path)
    (tmp_path / "README.md").write_text((PROJECT / "README.md").read_text())
    page = tmp_path / "page.md"
    page.write_text(text)
    assert bool(find_broken([page])) is is_broken


def test_anchors_are_those_of_github() -> None:
    page = "# What happens when … dies\n## `seq`, and more!\n## Twice\n## Twice\n"
    assert find_anchors(page) == {"what-happens-when--dies", "seq-and-more", "twice", "twice-1"}
