"""The reference of the administrators' command is the one that it gives itself."""

import re

import pytest

from tests.docs.commands import PAGE, replace_reference
from tests.docs.pages import PAGES
from tests.gateway.admin.commands import Admin

EXAMPLE = re.compile(r"^python -m gateway\.admin (.+)$", re.MULTILINE)


def test_the_reference_is_of_now() -> None:
    assert replace_reference(PAGES[PAGE]) == PAGES[PAGE], "`make docs` draws it anew"


def test_a_page_without_a_place_for_it_gets_none() -> None:
    with pytest.raises(ValueError, match="exit codes"):
        replace_reference("# Nothing")


@pytest.mark.parametrize("example", sorted(set(EXAMPLE.findall("\n".join(PAGES.values())))))
def test_what_pages_tell_to_type_is_taken(example: str) -> None:
    """Whatever it is, without settings it ends before anything is done, and not by its usage."""
    words = example.partition(" #")[0].partition(" <")[0].partition(" >")[0].split()
    known = [word.replace("ID", "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d") for word in words]
    known = ["-" if word.endswith(".csv") else word for word in known]
    ended = Admin({"SECRET_KEY": "", "POSTGRES_PASSWORD": ""})(*known, stdin="x")
    assert ended.code == 2
    assert "settings are not complete" in ended.err or "can be asked" in ended.err
