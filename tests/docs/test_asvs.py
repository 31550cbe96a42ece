"""The table of ASVS has each line of its three chapters once, and names tests that there are."""

import ast
import re
from functools import cache

from gateway.routes import operations
from gateway.signins.schemas import TokenPair
from tests.docs.pages import DOCS, PAGES, PROJECT, read_rows

PAGE = DOCS / "reference/asvs.md"
# OWASP ASVS 5.0.0: the levels of each section's lines, in their order.
LEVELS = {
    "6.1": "122",
    "6.2": "111111112222",
    "6.3": "11223333",
    "6.4": "112233",
    "6.5": "22222333",
    "6.6": "2223",
    "6.7": "33",
    "6.8": "2222",
    "7.1": "222",
    "7.2": "1111",
    "7.3": "22",
    "7.4": "11222",
    "7.5": "223",
    "7.6": "22",
    "10.1": "22",
    "10.2": "223",
    "10.3": "22223",
    "10.4": "1111122222233333",
    "10.5": "22222",
    "10.6": "22",
    "10.7": "222",
}
SAID = re.compile(r"\*\*(Met|Partly|Not met|Does not apply)\*\*(.*)")
SHOWN = {"Met", "Partly"}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

ROWS = [row for row in read_rows(PAGE) if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


def test_each_line_of_the_chapters_is_there_once_with_its_level() -> None:
    expected = [
        (f"{section}.{number}", level)
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, start=1)
    ]
    assert [(row[0], row[1]) for row in ROWS] == expected


def test_each_line_says_how_it_is_and_what_shows_it_or_why_not() -> None:
    assert [row[0] for row in ROWS if not _is_whole(row)] == []


def _is_whole(row: list[str]) -> bool:
    """What is met names a test, and what is not met says why."""
    _, _, asked, told, shown = row
    said = SAID.fullmatch(told)
    if said is None or not asked:
        return False
    word, why = said.groups()
    return bool(TEST.search(shown)) == (word in SHOWN) and (bool(why) or word == "Met")


def test_every_test_that_is_named_exists() -> None:
    named = TEST.findall(PAGES[PAGE])
    assert named
    assert [f"{path}::{name}" for path, name in named if name not in _tests_of(path)] == []


def test_every_way_to_a_token_is_told() -> None:
    ways = {each.path for each in operations if each.result is TokenPair}
    assert "/api/login/access-token" in ways
    assert {path for path in ways if f"`{path}`" not in PAGES[PAGE]} == set()


@cache
def _tests_of(path: str) -> set[str]:
    if not (PROJECT / path).exists():
        return set()
    tree = ast.parse((PROJECT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}
