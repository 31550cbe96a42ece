"""Draws which scopes of API keys open which operation: `python -m tests.docs.scopes`."""

import re

from gateway.routes import operations, sockets
from gateway.web.auth import Access
from gateway.web.operation import Operation
from gateway.web.scopes import CHATTING, Scopes
from tests.docs.pages import DOCS

PAGE = DOCS / "reference/scopes.md"
HEAD = "| operation | scopes, each of which opens it |\n| --- | --- |\n"
_table = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")


def draw() -> str:
    """The table; what anyone may call is not in it."""
    lines = [
        *((f"{each.method} {each.path}", each.opened_by) for each in _closed()),
        *((f"WebSocket {each.path}", CHATTING) for each in sockets),
    ]
    return HEAD + "".join(_row(line, scopes) for line, scopes in lines)


def _closed() -> list[Operation]:
    return [each for each in operations if each.access is not Access.ANYONE]


def _row(line: str, scopes: Scopes) -> str:
    return f"| `{line}` | {', '.join(f'`{each}`' for each in scopes) or 'none'} |\n"


def replace_table(page: str) -> str:
    """The page with the table of now. Raises ValueError for one that has no place for it."""
    if len(_table.findall(page)) != 1:
        raise ValueError("the page must have one table")
    return _table.sub(lambda _: draw(), page)


if __name__ == "__main__":
    PAGE.write_text(replace_table(PAGE.read_text()))
