"""Answers that come at the same moment are stored together, and where that fails, each alone."""

import asyncio

import pytest

from agent_bridge.requests import ending as ending_module
from agent_bridge.requests.ending import Endings
from shared.domain.endings import Ended, Ending, Outcome
from shared.notifications.bus import Notifications
from shared.postgres.pool import DatabaseAwayError, create_database
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.requests.claimed import make_claimed


async def test_answers_that_could_not_be_stored_together_are_stored_alone(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    async def end_all(_: Endings, endings: list[Ending]) -> list[Ended | None]:
        tries.append(len(endings))
        if len(endings) > 1:
            raise DatabaseAwayError("one of the sessions is locked")
        return [None]

    monkeypatch.setattr(Endings, "end_now", end_all)
    monkeypatch.setattr(ending_module, "RETRY_SECONDS", 0)
    settings = read_settings(environment, Settings)
    endings = Endings(create_database(settings), Notifications(create_redis(settings)))
    outcome = Outcome("answered", {})
    await asyncio.gather(*(endings.end(make_claimed(60.0), outcome) for _ in range(3)))
    assert tries == [3, 1, 1, 1]
