"""Entries whose first try seemed to fail: stored once, and told to those who listen."""

from collections.abc import AsyncIterator
from uuid import UUID

import attrs
import pytest
from databases import Database

from agent_bridge.logs.store import Logs
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged
from shared.notifications.bus import Notifications
from shared.notifications.channels import session_channel
from shared.notifications.formats import decode_frames
from shared.postgres.pool import create_database
from shared.secrets import Vault
from tests.agent_bridge.stored import select_logs
from tests.master import Master
from tests.system import System
from tests.users import Chat, User


class Told(Notifications):
    """Notes what is published."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def publish(self, channel: str, message: bytes) -> None:
        self.messages.append((channel, message))


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    async with create_database(system.settings) as database:
        yield database


@pytest.fixture
async def chat(user: User, master: Master) -> AsyncIterator[Chat]:
    """A session with one answered request."""
    async with user.chat() as chat:
        await chat.ask("hello")
        yield chat


@pytest.fixture
def entries(chat: Chat, master: Master) -> list[AgentLogged]:
    request_id = master.invocations[0].request_id
    entry = AgentLogged(MASTER_SERVER_ML, chat.session_id, request_id, "info", "0")
    return [attrs.evolve(entry, message=str(number)) for number in range(3)]


def logs_of(system: System, database: Database, told: Told) -> Logs:
    settings = system.settings
    return Logs(settings, database, told, Vault(settings.encryption_keys))


async def test_a_try_that_had_succeeded_stores_nothing_again_and_listeners_read_it(
    system: System, database: Database, user: User, chat: Chat, entries: list[AgentLogged]
) -> None:
    told = Told()
    logs = logs_of(system, database, told)
    for _ in range(3):
        await logs.store(entries, 1)
    rows = select_logs(system, chat.session_id)
    assert [row["message"] for row in rows] == ["0", "1", "2"]
    assert {channel for channel, _ in told.messages} == {
        session_channel(UUID(chat.session_id), UUID(user.id))
    }
    frames = [decode_frames(message) for _, message in told.messages]
    assert [(each.last, len(each.frames)) for each in frames if each] == [(4, 3), (4, 0), (4, 0)]


async def test_each_bridge_counts_for_itself(
    system: System, database: Database, chat: Chat, entries: list[AgentLogged]
) -> None:
    for _ in range(2):
        logs = logs_of(system, database, Told())
        await logs.store(entries[:1], 1)
        await logs.store(entries[1:], 2)
    rows = select_logs(system, chat.session_id)
    assert [row["message"] for row in rows] == ["0", "1", "2"] * 2


async def test_a_try_that_stores_nothing_as_nothing_may_stand_there_tells_of_nothing_new(
    system: System, database: Database, chat: Chat, entries: list[AgentLogged]
) -> None:
    told = Told()
    logs = logs_of(system, database, told)
    foreign = [attrs.evolve(each, request_id=str(UUID(int=5))) for each in entries]
    await logs.store(foreign, 1)
    assert told.messages == []
    assert select_logs(system, chat.session_id) == []
