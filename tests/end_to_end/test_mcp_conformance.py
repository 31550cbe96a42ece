"""The official conformance suite, scenario by scenario as the reference tells it."""

import asyncio
from pathlib import Path

from tests.docs.pages import DOCS, read_rows
from tests.mcp_suite import everything, read_results, run_suite
from tests.mcpserver import MODERN, SESSIONS
from tests.system import System
from tests.users import Json, User

PAGE = DOCS / "reference/mcp.md"
VERSIONS = (SESSIONS, MODERN)
PASSES, FAILS, NONE = "yes", "no", ""


def told() -> dict[str, dict[str, str]]:
    """What the page says of each scenario, by the revision."""
    return {
        version: {row[0].strip("`"): row[at] for row in _rows() if row[at]}
        for at, version in enumerate(VERSIONS, 1)
    }


def _rows() -> list[list[str]]:
    known = {PASSES, FAILS, NONE}
    return [row for row in read_rows(PAGE) if len(row) == 4 and known.issuperset(row[1:3])]


def outcome(checks: list[Json]) -> str:
    """Whether a scenario passes."""
    return FAILS if any(check["status"] == "FAILURE" for check in checks) else PASSES


async def test_scenarios_pass_or_not_as_the_reference_tells(
    system: System, user: User, tmp_path: Path
) -> None:
    async def run(version: str) -> dict[str, str]:
        results = tmp_path / version
        _, said = await run_suite(user, results, "--suite", "all", "--spec-version", version)
        found = {name: outcome(checks) for name, checks in read_results(results).items()}
        assert found, said
        return found

    async with everything(system, user):
        found = await asyncio.gather(*map(run, VERSIONS))
    assert dict(zip(VERSIONS, found, strict=True)) == told()


def test_the_reference_says_why_a_scenario_does_not_apply() -> None:
    for scenario, *passes, why in _rows():
        assert bool(why) == (FAILS in passes), scenario
