"""Every recorded call of the REST API, made again."""

from collections.abc import Awaitable, Callable

import pytest

from tests.contract.all_areas import AREAS
from tests.contract.areas import replaying
from tests.contract.replay import Replay
from tests.system import System

CASES = [
    pytest.param(name, case.name, id=f"{name}: {case.name}")
    for name, area in AREAS.items()
    for case in area.cases
]

type ReplayOf = Callable[[str], Awaitable[Replay]]


@pytest.fixture(scope="module")
def replay_of(system: System) -> ReplayOf:
    """An area, replayed once for all its cases."""
    done: dict[str, Replay] = {}

    async def replay(area: str) -> Replay:
        if area not in done:
            async with replaying(AREAS[area], system) as done[area]:
                pass
        return done[area]

    return replay


@pytest.mark.parametrize(("area", "case"), CASES)
async def test_a_call_is_answered_as_recorded(replay_of: ReplayOf, area: str, case: str) -> None:
    assert (await replay_of(area)).faults[case] == []


@pytest.mark.parametrize("area", AREAS)
async def test_every_difference_is_one(replay_of: ReplayOf, area: str) -> None:
    replay = await replay_of(area)
    assert {each.because for each in replay.differences} == replay.needed
