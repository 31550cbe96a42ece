"""What is printed of an answer while it is made."""

import pytest

from devstack.ask import Screen

ENTRY = "  info     an agent  Looking for it"


def say(screen: Screen, *parts: str) -> None:
    for index, part in enumerate(parts):
        screen.add(index, part)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_parts_are_printed_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    say(Screen(), "It is", " twelve")
    assert printed(capsys) == "It is twelve"


def test_an_answer_that_was_told_is_not_printed_again(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    say(screen, "It is", " twelve.")
    screen.end("It is twelve.")
    assert printed(capsys) == "It is twelve.\n"


def test_what_was_not_told_of_an_answer_follows(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    say(screen, "It is")
    screen.end("It is twelve.")
    assert printed(capsys) == "It is twelve.\n"


def test_an_answer_without_parts_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.log(ENTRY)
    screen.end("It is twelve.")
    assert printed(capsys) == f"{ENTRY}\nIt is twelve.\n"


def test_an_entry_has_a_line_of_its_own_and_the_answer_is_told_as_a_whole_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    say(screen, "It is")
    screen.log(ENTRY)
    screen.add(1, " twelve.")
    screen.end("It is twelve.")
    assert printed(capsys) == f"It is\n{ENTRY}\n twelve.\nIt is twelve.\n"


def test_an_answer_that_is_another_one_than_its_parts_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    say(screen, "It is one")
    screen.end("It is twelve.")
    assert printed(capsys) == "It is one\nIt is twelve.\n"


def test_a_text_that_begins_again_begins_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    say(screen, "It is", " tw")
    screen.add(0, "It is twelve.")
    screen.end("It is twelve.")
    assert printed(capsys) == "It is tw\nIt is twelve.\n"
