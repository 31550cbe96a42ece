"""Finds links that lead nowhere: `python -m tests.docs.links` names them and ends with 1.

Of links out of the project nothing is known. What stands behind `#` is a heading of the page, by
the name that GitHub gives it.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import PAGES, PROJECT

_code = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_fence = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_heading = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_link = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
_no_part_of_an_anchor = re.compile(r"[^\w\- ]")


def find_links(text: str) -> list[tuple[str, str]]:
    """Links into the project: where each leads, and to which heading there."""
    return _link.findall(_code.sub("", text))


def find_anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page; the second of a name gets a number."""
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in _heading.findall(_fence.sub("", text)):
        anchor = _no_part_of_an_anchor.sub("", heading.lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors


def find_broken(pages: Iterable[Path]) -> list[str]:
    """A sentence for each link that leads nowhere."""
    return [
        f"{page.relative_to(PROJECT)}: there is no {target}{'#' * bool(anchor)}{anchor}"
        for page in pages
        for target, anchor in find_links(page.read_text())
        if not _leads_somewhere(page.parent / target if target else page, anchor)
    ]


def _leads_somewhere(path: Path, anchor: str) -> bool:
    return path.exists() and (not anchor or anchor in find_anchors(path.read_text()))


if __name__ == "__main__":
    sys.exit("\n".join(find_broken(PAGES)) or None)
