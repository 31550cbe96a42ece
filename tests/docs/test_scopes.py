"""The table of scopes is the one that the routes make."""

import pytest

from tests.docs.pages import PAGES
from tests.docs.scopes import PAGE, replace_table


def test_the_table_is_of_now() -> None:
    assert replace_table(PAGES[PAGE]) == PAGES[PAGE], "`make docs` draws it anew"


def test_a_page_without_a_place_for_it_gets_none() -> None:
    with pytest.raises(ValueError, match="one table"):
        replace_table("# Nothing")
