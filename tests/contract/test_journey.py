"""The recorded journey through the front-end, made again call by call and frame by frame."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.journey import load_steps
from tests.contract.replay import Replay
from tests.contract.traveller import travelling
from tests.system import System

CASES = [case.name for step in load_steps() for case in step.cases]


@pytest.fixture(scope="module")
async def replay(system: System) -> AsyncIterator[Replay]:
    """All of it, once for all tests."""
    async with travelling(system) as replay:
        yield replay


@pytest.mark.parametrize("case", CASES)
async def test_the_journey_goes_as_recorded(replay: Replay, case: str) -> None:
    assert replay.faults[case] == []


async def test_every_difference_is_one(replay: Replay) -> None:
    assert {each.because for each in replay.differences} == replay.needed
