"""The list of what is used inside of other libraries: all there, and of the versions that run."""

import re
from pkgutil import resolve_name

import pytest

from tests.docs.pages import DOCS, PROJECT, read_rows

ROWS = read_rows(DOCS / "reference/internals.md")


@pytest.mark.parametrize(("library", "version"), sorted({(row[0], row[1]) for row in ROWS}))
def test_the_version_is_the_one_that_is_installed(library: str, version: str) -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    assert re.findall(rf"^{library}(?:\[\w+\])?==(\S+)", lock, re.MULTILINE) == [version]


@pytest.mark.parametrize("what", [row[2] for row in ROWS])
def test_what_is_used_is_there(what: str) -> None:
    names = re.findall(r"`([\w.]+)`", what.partition(":")[0])
    assert [resolve_name(name) for name in names]


@pytest.mark.parametrize("path", sorted({row[4].strip("`") for row in ROWS}))
def test_who_notices_a_change_is_there(path: str) -> None:
    assert (PROJECT / path).is_file()
