"""Measures the scenarios that are named, or all: `python -m tests.benchmarks [SCENARIO …]`.

`--against COMMIT` measures one beside the services of another commit, `--only TEXT` what of it has
the text in its name.

Ends with 1 when an answer was wrong, lost or repeated; a target that is missed is only shown. What
all of them measured without a wrong answer is what the docs show from then on.
"""

import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Sequence
from importlib import import_module

import uvloop

from tests.benchmarks.against import start_sides
from tests.benchmarks.installation import Bench, run_bench
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.report import cells, publish, write_report
from tests.benchmarks.results import Result, Row, at_most

SCENARIOS = (
    "chat",
    "logs",
    "streams",
    "peers",
    "doors",
    "direct",
    "lookups",
    "rest",
    "files",
    "idle",
    "footprint",
    "revoking",
    "console",
    "growth",
    "scaling",
    "estate",
    "neighbours",
)
COMPARED = ("chat", "logs", "rest")
"""Those that can be measured beside another commit."""
IN_PARTS = (*COMPARED, "scaling")
"""Those of which a part can be measured."""
HELD_SECONDS = 0.05
HELD = "loops held for over 50 ms"
LOOPS = {
    HELD: "genai_loop_held_seconds",
    "the same, or without a core": "genai_loop_lag_seconds",
}


async def _measure(
    bench: Bench, scenario: str, results: list[Result], commit: str | None = None
) -> None:
    module = import_module(f"tests.benchmarks.{scenario}")
    if commit is None:
        targets, measured = module.TARGETS, module.measure(bench)
    else:
        sides = start_sides(bench, commit)
        targets, measured = module.AGAINST, module.measure_against(bench, sides)
    targets = {**targets, HELD: at_most(0)}
    async for row in _rows(bench, measured):
        _note(Result(scenario, row, targets.get(row.name)), results)


async def _rows(bench: Bench, measured: AsyncIterator[Row]) -> AsyncIterator[Row]:
    async for row in measured:
        yield row
    for name, metric in LOOPS.items():
        yield _count_late(bench, name, metric)


def _count_late(bench: Bench, name: str, metric: str) -> Row:
    """How often an event loop of the services came so late to what was due."""
    looks = [look for each in bench.installations for look in each.looks(metric).items()]
    late = sum(count for bound, count in looks if bound > HELD_SECONDS)
    return Row(name, late, f"of {sum(count for _, count in looks):,.0f} looks")


def _note(result: Result, results: list[Result]) -> None:
    widths = (36, 16, 16, 6, 18, 10)
    columns = " ".join(f"{cell:{width}}" for cell, width in zip(cells(result), widths, strict=True))
    print(f"{result.scenario:10} {columns}", flush=True)
    results.append(result)


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write; the exit code."""
    parser = ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--against", metavar="COMMIT", help="the commit to compare with")
    parser.add_argument("--only", metavar="TEXT", default="", help="what the name has to contain")
    asked = parser.parse_args(arguments)
    scenarios = asked.scenarios or [*SCENARIOS]
    if asked.against and not {*scenarios} <= {*COMPARED}:
        parser.error(f"--against needs scenarios out of {', '.join(COMPARED)}")
    if asked.only and not {*scenarios} <= {*IN_PARTS}:
        parser.error(f"--only needs scenarios out of {', '.join(IN_PARTS)}")
    results: list[Result] = []
    wrongs: list[str] = []
    with run_bench(asked.only) as bench:
        for scenario in scenarios:
            try:
                uvloop.run(_measure(bench, scenario, results, asked.against))
            except* WrongAnswerError as wrong:
                wrongs += [f"{scenario}: {each}" for each in wrong.exceptions]
            bench.end_scenario()
    if not (wrongs or any(asked.only in result.row.name for result in results)):
        parser.error(f"nothing is called {asked.only!r} there")
    write_report(results, wrongs)
    if set(scenarios) == set(SCENARIOS) and not wrongs:
        publish()
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
