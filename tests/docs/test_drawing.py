"""The drawing of the packages is the one that their imports make."""

import pytest

from tests.docs.drawing import PACKAGES, PAGE, build_rooms, find_arrows, replace_drawing
from tests.docs.pages import PAGES


def test_the_drawing_is_of_now() -> None:
    assert replace_drawing(PAGES[PAGE]) == PAGES[PAGE], "`make docs` draws it anew"


def test_every_import_is_an_arrow_or_follows_from_some() -> None:
    graph = build_rooms()
    drawn: dict[str, set[str]] = {}
    for room, imported in find_arrows(graph):
        drawn.setdefault(room, set()).add(imported)
    for package in PACKAGES:
        for room in graph.find_children(package):
            assert _reached(drawn, room) == graph.find_upstream_modules(room)


def _reached(drawn: dict[str, set[str]], room: str) -> set[str]:
    nearest = drawn.get(room, set())
    return nearest.union(*(_reached(drawn, each) for each in nearest))


def test_a_page_without_a_place_for_it_gets_none() -> None:
    with pytest.raises(ValueError, match="one drawing"):
        replace_drawing("# Nothing")
