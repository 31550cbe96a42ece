"""What anybody could have logged is logged once a second of each kind."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from shared.telemetry import seldom
from shared.telemetry.logging import create_formatter
from shared.telemetry.redaction import LIMIT

logger = logging.getLogger("tests.seldom")


class Lines(logging.Handler):
    """Makes lines where they are logged, as the handler of a process does."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(create_formatter(["hunter2"], is_text=False))
        self.lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(seldom, "_kinds", type(seldom._kinds)(seldom._Kind))
    handler = Lines()
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(seldom, "monotonic", lambda: now[0])
    return now


def test_a_line_has_its_fields_and_the_next_of_another_kind_has_not(lines: list[Any]) -> None:
    seldom.warn_seldom(logger, "a token was refused", address="192.0.2.7")
    logger.warning("another one")
    assert (lines[0]["event"], lines[0]["address"]) == ("a token was refused", "192.0.2.7")
    assert "address" not in lines[1]


def test_a_flood_is_one_line_a_second_and_the_next_says_how_many_there_were(
    lines: list[Any], clock: list[float]
) -> None:
    for number in range(1000):
        seldom.warn_seldom(logger, "a token was refused", address=f"192.0.2.{number}")
    clock[0] += seldom.LOG_SECONDS
    for _ in range(2):
        seldom.warn_seldom(logger, "a token was refused", address="192.0.2.7")
    assert [line["address"] for line in lines] == ["192.0.2.0", "192.0.2.7"]
    assert [line.get("left_out") for line in lines] == [None, "999"]


def test_a_flood_of_one_kind_hides_no_other(lines: list[Any]) -> None:
    for kind in ["a token was refused"] * 1000 + ["a login failed"]:
        seldom.warn_seldom(logger, kind)
    assert [line["event"] for line in lines] == ["a token was refused", "a login failed"]


def test_what_others_make_up_forges_no_line_and_tells_no_secret(lines: list[Any]) -> None:
    name = 'x\n{"event": "forged"}\x1b[2J hunter2 ' + "y" * 3 * LIMIT
    seldom.warn_seldom(logger, "a login failed", username=name)
    [line] = lines
    assert "\n" not in line["username"]
    assert "\x1b" not in line["username"]
    assert "hunter2" not in line["username"]
    assert len(line["username"]) < 2 * LIMIT
