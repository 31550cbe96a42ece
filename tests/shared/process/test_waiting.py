"""What is waited for is told again and again, and no longer than it is."""

import time

import pytest

from shared.process import waiting
from shared.process.waiting import waiting_for


def test_it_is_told_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.01)
    told: list[str] = []
    end = time.monotonic() + 5
    with waiting_for("the moon", told.append):
        while len(told) < 3 and time.monotonic() < end:
            time.sleep(0.001)
    count = len(told)
    assert count >= 3
    assert told[0] == "waiting for the moon (0 s)"
    time.sleep(0.05)
    assert len(told) == count


def test_what_does_not_take_long_is_not_told() -> None:
    told: list[str] = []
    with waiting_for("nothing", told.append):
        pass
    assert told == []


def test_nobody_is_left_in_silence_for_two_seconds() -> None:
    assert waiting.FIRST_SECONDS + 0.5 < waiting.PAUSE_SECONDS < 2
