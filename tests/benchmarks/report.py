"""The results as a Markdown table, as JSON and on the terminal, with what they were measured on.

Those of a whole run are what the docs show.
"""

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from os import sched_getaffinity
from pathlib import Path
from shutil import copy

import attrs
import orjson
import psutil

from tests.benchmarks.results import Result, Row
from tests.system import PROJECT

FOLDER = PROJECT / ".benchmarks"
DOCS = PROJECT / "docs/explanation/how-fast"
HEAD = "| scenario | measured | value | floor | ratio | target | |"
GIB = 1 << 30


def write_report(results: Sequence[Result], wrongs: Sequence[str]) -> None:
    """Write `results.json` and `table.md`, and print the table."""
    about = describe_machine()
    FOLDER.mkdir(exist_ok=True)
    table = "\n".join(_markdown(about, results, wrongs)) + "\n"
    (FOLDER / "table.md").write_text(table)
    data = {"about": about, "wrongs": wrongs, "results": [_plain(each) for each in results]}
    (FOLDER / "results.json").write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    print(f"\n{table}\nwritten to {FOLDER}")


def publish() -> None:
    """Have the docs show the table and the plots that were written."""
    for path in (FOLDER / "table.md", *FOLDER.glob("*.svg")):
        copy(path, DOCS)


def describe_machine() -> str:
    """When and on what this was measured."""
    memory = psutil.virtual_memory().total / GIB
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(sched_getaffinity(0))} cores of {_processor()}, "
        f"{memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _plain(result: Result) -> dict[str, object]:
    target = str(result.target) if result.target else None
    holds = result.target.is_met(result.row) if result.target else None
    row = {**attrs.asdict(result.row), "ratio": result.row.ratio}
    return {"scenario": result.scenario, **row, "target": target, "holds": holds}


def _markdown(about: str, results: Sequence[Result], wrongs: Sequence[str]) -> Iterator[str]:
    yield "# The last run"
    yield ""
    yield f"Measured {about}."
    yield ""
    yield HEAD
    yield "| --- | --- | ---: | ---: | ---: | --- | --- |"
    for result in results:
        yield f"| {result.scenario} | {' | '.join(cells(result))} |"
    yield ""
    yield from _cpu_table([each.row for each in results if each.row.cpu])
    yield ""
    yield "No answer was wrong, lost or repeated." if not wrongs else "**Wrong answers:**"
    yield from (f"- {wrong}" for wrong in wrongs)


def cells(result: Result) -> list[str]:
    """The columns of a result after the scenario's."""
    row = result.row
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    floor = "" if row.floor is None else f"{_number(row.floor)} {row.unit}"
    target = str(result.target or "")
    return [row.name, f"{_number(row.value)} {row.unit}", floor, ratio, target, result.verdict]


def _cpu_table(rows: Sequence[Row]) -> Iterator[str]:
    parts = list(dict.fromkeys(part for row in rows for part in row.cpu))
    if not parts:
        return
    yield "CPU milliseconds for each:"
    yield ""
    yield f"| | {' | '.join(parts)} | all |"
    yield f"| --- |{' ---: |' * (len(parts) + 1)}"
    for row in rows:
        spent = [row.cpu.get(part, 0.0) for part in parts]
        yield f"| {row.name} | {' | '.join(f'{each:.2f}' for each in [*spent, sum(spent)])} |"


def _number(value: float) -> str:
    """Three digits that matter."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
