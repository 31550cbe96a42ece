"""The tables of close codes tell what the gateway closes sockets with, and a door connections."""

import ast
import re

from agent_bridge.doors import closes as doors
from gateway.chats.closes import CLOSE_CODES
from tests.docs.pages import DOCS, PROJECT, read_rows

ROWS = read_rows(DOCS / "reference/close-codes.md")
CODES = [row for row in ROWS if len(row) == 3]
DOOR_CODES = [row for row in ROWS if len(row) == 2]


def test_the_table_of_close_codes_holds_each_with_its_meaning() -> None:
    assert {int(code): meaning for code, meaning, _ in CODES} == CLOSE_CODES


def test_that_of_the_door_holds_each_with_its_meaning() -> None:
    assert {int(code): meaning for code, meaning in DOOR_CODES} == doors.CLOSE_CODES


def test_reasons_of_a_close_are_told_in_the_gateways_words() -> None:
    rooms = (PROJECT / "gateway" / room for room in ("chats", "streams"))
    modules = (module for room in rooms for module in room.glob("*.py"))
    nodes = (node for module in modules for node in ast.walk(ast.parse(module.read_text())))
    said = {node.value for node in nodes if isinstance(node, ast.Constant)}
    told = {reason for *_, reasons in CODES for reason in re.findall(r"`([^`]+)`", reasons)}
    assert told - said == set()
    assert told
