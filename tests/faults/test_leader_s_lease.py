"""Whatever the connection of the leader's lease raises, the bridge goes on competing."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from agent_bridge.agents.reconciliation import Reconciliation
from agent_bridge.intake.leadership import Leadership
from agent_bridge.router.session import RouterSession
from shared.postgres.pool import create_database
from shared.process.background import background
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import make_secrets


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_lease_that_can_not_be_had_ends_no_bridge(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried_again = asyncio.Event()
    attempts = 0

    async def fail(*_arguments: Any, **_settings: str) -> None:
        nonlocal attempts
        attempts += 1
        if attempts > 2:
            tried_again.set()
        raise error

    monkeypatch.setattr("agent_bridge.intake.leadership.ATTEMPT_SECONDS", 0.01)
    monkeypatch.setattr("agent_bridge.intake.leadership.connect_apart", fail)
    settings = read_settings(make_secrets(), Settings)
    reconciliation = Reconciliation(settings, create_database(settings))
    session = RouterSession(settings, ignore)
    leadership = Leadership(settings, session, reconciliation, ignore, uuid4())
    async with background(leadership=leadership.run()), asyncio.timeout(5):
        await tried_again.wait()


def ignore(*_heard: object) -> None:
    """Nobody reads it."""
