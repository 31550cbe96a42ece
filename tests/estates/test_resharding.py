"""Our slot is given to another master of a Cluster, with what is in it."""

from pathlib import Path

import pytest

from gateway.accounts.attempts import Attempts
from tests.estates.listening import count_again, run_pair, seconds_until_heard, settings_of
from tests.estates.programs import NAMES, program_of
from tests.estates.running import OURS, give_slot_away, run_cluster


@pytest.mark.parametrize("name", NAMES)
async def test_who_listens_and_counts_goes_with_the_slot(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with run_cluster(tmp_path, program_of(name)) as estate:
        settings = settings_of(estate.url)
        attempts = Attempts(settings)
        async with run_pair(settings) as (speaker, listener):
            await seconds_until_heard(speaker, listener)
            await count_again(attempts)
            giver = estate.master
            give_slot_away(estate)
            assert estate.master is not giver
            assert await seconds_until_heard(speaker, listener) < 4
            await count_again(attempts)
            assert estate.master.ask("CLUSTER COUNTKEYSINSLOT", OURS) == 1
        await attempts.close()
    assert "Redis has another master now" in caplog.text
    assert "Redis is away" not in caplog.text
