"""The table of close codes tells what the gateway closes sockets with."""

import ast
import re

from gateway.chats.closes import CLOSE_CODES
from tests.docs.pages import DOCS, PROJECT, read_rows

CODES = read_rows(DOCS / "reference/close-codes.md")


def test_the_table_of_close_codes_holds_each_with_its_meaning() -> None:
    assert {int(code): meaning for code, meaning, _ in CODES} == CLOSE_CODES


def test_reasons_of_a_close_are_told_in_the_gateways_words() -> None:
    modules = (PROJECT / "gateway/chats").glob("*.py")
    nodes = (node for module in modules for node in ast.walk(ast.parse(module.read_text())))
    said = {node.value for node in nodes if isinstance(node, ast.Constant)}
    told = {reason for *_, reasons in CODES for reason in re.findall(r"`([^`]+)`", reasons)}
    assert told - said == set()
    assert told
