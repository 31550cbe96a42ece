"""What pages name exists, and the front page stays one."""

import re

from tests.docs.pages import PAGES, PROJECT, README


def test_every_file_that_is_named_exists() -> None:
    named = {
        name
        for text in PAGES.values()
        for name in re.findall(
            r"`((?:gateway|agent_bridge|shared|devstack|deploy|docs|tests)/[\w/.-]*)`", text
        )
    }
    assert {name for name in named if not (PROJECT / name).exists()} == set()


def test_the_readme_is_short() -> None:
    assert len(PAGES[README].splitlines()) <= 150
