"""What a run writes, and what of it the docs show."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import report
from tests.benchmarks.against import Beside
from tests.benchmarks.installation import LOAD
from tests.benchmarks.load import Load
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.plots import Panel, draw
from tests.benchmarks.results import Result, Row, at_least, at_most

ROW = Row("chats", 165.4, "/s", 416.0, {"gateway": 1.01, "bridge": 1.77})


@pytest.fixture(autouse=True)
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the docs are, instead of the project's own."""
    monkeypatch.setattr(report, "FOLDER", tmp_path / ".benchmarks")
    monkeypatch.setattr(report, "DOCS", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scenarios that were measured; each gives one row, and `chat` a plot."""
    scenarios: list[str] = []

    async def measure(
        _bench: object, scenario: str, results: list[Result], commit: str | None
    ) -> None:
        scenarios.append(f"{scenario} against {commit}" if commit else scenario)
        results.append(Result(scenario, ROW))
        draw(report.FOLDER / "latency.svg", [Panel("ms", (1, 2), {"p50": (1.0, 2.0)})])

    @contextmanager
    def run(only: str) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(end_scenario=lambda: None)

    monkeypatch.setattr(command, "_measure", measure)
    monkeypatch.setattr(command, "run_bench", run)
    return scenarios


def test_a_row_has_its_value_floor_ratio_target_and_verdict() -> None:
    missed, held = (
        Result("chat", ROW, at_least(200)),
        Result("chat", ROW, at_most(0.5, of_floor=True)),
    )
    report.write_report([missed, held], [])
    table = (report.FOLDER / "table.md").read_text()
    assert "| chat | chats | 165 /s | 416 /s | 0.40 | ≥ 200 | **missed** |\n" in table
    assert "| chat | chats | 165 /s | 416 /s | 0.40 | ≤ 0.5 × floor | holds |\n" in table
    assert "| chats | 1.01 | 1.77 | 2.78 |\n" in table


def test_a_whole_run_is_what_the_docs_show(docs: Path, measured: list[str]) -> None:
    assert command.main(list(command.SCENARIOS)) == 0
    assert tuple(measured) == command.SCENARIOS
    assert {path.name for path in docs.iterdir()} == {"table.md", "latency.svg"}


def test_a_single_scenario_changes_no_docs(docs: Path, measured: list[str]) -> None:
    assert command.main(["chat"]) == 0
    assert measured == ["chat"]
    assert (report.FOLDER / "table.md").exists()
    assert list(docs.iterdir()) == []


@pytest.mark.parametrize("scenario", command.COMPARED)
def test_some_can_be_measured_against_another_commit(
    scenario: str, docs: Path, measured: list[str]
) -> None:
    module = import_module(f"tests.benchmarks.{scenario}")
    assert {"measure_against", "AGAINST"} <= vars(module).keys()
    assert command.main([scenario, "--against", "main"]) == 0
    assert measured == [f"{scenario} against main"]
    assert list(docs.iterdir()) == []


@pytest.mark.parametrize("asked", [["--against", "main"], ["--only", "chats"]])
def test_others_are_measured_as_a_whole_and_beside_no_other_commit(
    asked: list[str], measured: list[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(["files", *asked])
    assert measured == []


def test_a_part_that_nothing_is_called_is_an_error(docs: Path, measured: list[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["chat", "--only", "chants"])
    assert measured == ["chat"]
    assert not report.FOLDER.joinpath("table.md").exists()


def test_the_middle_round_beside_another_commit_counts() -> None:
    ours, theirs = (
        [Load([seconds], elapsed, {"bridge": 2.0, LOAD: 1.0}) for elapsed in (1.0, 2.0, 4.0)]
        for seconds in (0.25, 0.5)
    )
    rounds = [(ours[0], theirs[2]), (ours[1], theirs[1]), (ours[2], theirs[0])]
    rate, p50, cpu, before = Beside(rounds).rows("1 user", "chats")
    assert (rate.name, rate.value, rate.floor) == ("1 user: chats", 0.5, 0.5)
    assert (p50.value, p50.floor) == (250, 500)
    assert (cpu.value, cpu.floor) == (2, 2)
    assert rate.cpu == before.cpu == {"bridge": 2, LOAD: 1}


def test_a_run_with_a_wrong_answer_changes_no_docs(
    docs: Path, monkeypatch: pytest.MonkeyPatch, measured: list[str]
) -> None:
    async def fail(*_: object) -> None:
        raise ExceptionGroup("", [WrongAnswerError("another's answer")])

    monkeypatch.setattr(command, "_measure", fail)
    assert command.main(list(command.SCENARIOS)) == 1
    assert measured == []
    assert "- chat: another's answer\n" in (report.FOLDER / "table.md").read_text()
    assert list(docs.iterdir()) == []
