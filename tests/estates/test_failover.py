"""The master of real servers hangs, hands over or is killed: those who listen hear the next one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest

from devstack.processes import HOST
from gateway.accounts.attempts import Attempts
from shared.notifications.bus import Listener, Notifications
from shared.settings.installation import Settings
from tests.estates.listening import count_again, run_pair, seconds_until_heard, settings_of
from tests.estates.programs import NAMES, program_of
from tests.estates.running import Estate, Node, run_cluster, run_sentinels
from tests.users import eventually

KINDS = {"Sentinel": run_sentinels, "Cluster": run_cluster}
AFTER_PROMOTION_SECONDS = 4.0  # what docs/explanation/what-happens-when.md tells, on a busy machine
SILENT_SECONDS = 6.0


ALL = [f"{kind} of {name}" for kind in KINDS for name in NAMES]
SOME = [each for each in ALL if each.endswith((NAMES[0], NAMES[-1]))]


@pytest.fixture
def estate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Estate]:
    kind, _, name = request.param.partition(" of ")
    with KINDS[kind](tmp_path, program_of(name)) as estate:
        yield estate


@pytest.fixture
def settings(estate: Estate) -> Settings:
    return settings_of(estate.url)


@pytest.fixture
async def pair(settings: Settings) -> AsyncIterator[tuple[Notifications, Listener]]:
    """Who listens has heard something."""
    async with run_pair(settings) as (speaker, listener):
        await seconds_until_heard(speaker, listener)
        yield speaker, listener


@pytest.fixture
async def attempts(settings: Settings) -> AsyncIterator[Attempts]:
    attempts = Attempts(settings)
    yield attempts
    await attempts.close()


async def until_another_is_master(estate: Estate, old: Node) -> None:
    async def holds() -> bool:
        return estate.find() != old.port

    await eventually(holds, "another one is the master", 20)


@pytest.mark.parametrize("estate", SOME, indirect=True)
async def test_a_master_that_hangs_has_a_successor(
    estate: Estate, pair: tuple[Notifications, Listener], attempts: Attempts
) -> None:
    await count_again(attempts)
    old, began = estate.master, monotonic()
    old.freeze()
    await until_another_is_master(estate, old)
    promoted = monotonic() - began
    late = await seconds_until_heard(*pair)
    await count_again(attempts)
    old.thaw()
    assert promoted + late < max(SILENT_SECONDS, promoted + AFTER_PROMOTION_SECONDS)


@pytest.mark.parametrize("estate", SOME, indirect=True)
async def test_a_master_hands_over(
    estate: Estate, pair: tuple[Notifications, Listener], attempts: Attempts
) -> None:
    await count_again(attempts)
    old = estate.master
    estate.hand_over()
    await until_another_is_master(estate, old)
    late = await seconds_until_heard(*pair)
    await count_again(attempts)
    assert late < AFTER_PROMOTION_SECONDS


@pytest.mark.parametrize("estate", ALL, indirect=True)
async def test_a_master_that_is_killed_has_a_successor(
    estate: Estate, pair: tuple[Notifications, Listener], attempts: Attempts
) -> None:
    await count_again(attempts)
    old = estate.master
    old.child.kill()
    await until_another_is_master(estate, old)
    late = await seconds_until_heard(*pair)
    await count_again(attempts)
    assert late < AFTER_PROMOTION_SECONDS


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_hangs_among_those_who_are_asked_does_not_matter(
    kind: str, tmp_path: Path
) -> None:
    with KINDS[kind](tmp_path, program_of("Valkey 9.1")) as estate:
        asked = estate.sentinels or estate.nodes[::-1]  # the last node is a replica
        url = estate.url.replace(",".join(_places(estate)), ",".join(_places(estate, asked)))
        settings, attempts = settings_of(url), Attempts(settings_of(url))
        asked[0].freeze()
        async with run_pair(settings) as (speaker, listener):
            assert await seconds_until_heard(speaker, listener) < AFTER_PROMOTION_SECONDS
            await count_again(attempts)
        await attempts.close()
        asked[0].thaw()


def _places(estate: Estate, asked: list[Node] | None = None) -> list[str]:
    return [f"{HOST}:{node.port}" for node in asked or estate.sentinels or estate.nodes]
