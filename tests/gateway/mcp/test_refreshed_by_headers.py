"""Rounds of look-ups where some servers are sent headers of their owner's."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from databases import Database

from gateway.mcp import queries
from gateway.remote.kinds import MOST_FAILURES
from shared.postgres.pool import connect, create_database
from shared.secrets import Vault
from shared.settings.installation import Settings
from tests.gateway.mcp.test_headers import Guarded
from tests.gateway.outsiders import make_mcp, running, serving
from tests.gateway.remote.test_refresh import add_server, go_round, read_server


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database
        async with connect(database) as connection:
            await connection.execute("DELETE FROM users")


async def send(database: Database, vault: Vault, owner: UUID, key: str) -> None:
    """Have the owner's server sent a key."""
    id_ = (await read_server(database, owner)).id
    async with connect(database) as connection:
        await queries.update_headers(connection, vault, owner, id_, {"X-Key": key})


async def test_each_owner_s_server_is_looked_up_by_its_own_headers(
    settings: Settings, database: Database
) -> None:
    vault = Vault(settings.encryption_keys)
    async with running(make_mcp("tool")) as [app], serving(app) as outsider:
        url = f"{outsider.url}/mcp"
        good, bad, none = [await add_server(database, url) for _ in range(3)]
        await send(database, vault, good, "right")
        await send(database, vault, bad, "wrong")
        outsider.app = Guarded(app, {"X-Key": "right"})
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        activity = [(await read_server(database, one)).is_active for one in (good, bad, none)]
        assert activity == [True, False, False]


async def test_headers_that_can_t_be_decrypted_count_as_a_failure_and_are_logged(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(make_mcp("tool")) as [app], serving(app) as outsider:
        owner = await add_server(database, f"{outsider.url}/mcp")
        await send(database, Vault([b"x" * 32]), owner, "right")
        outsider.posts.clear()
        for _ in range(MOST_FAILURES):
            await go_round(settings, database)
        assert outsider.posts == []
    server = await read_server(database, owner)
    assert not server.is_active
    assert f"mcpservers.headers.x-key of {server.id} can't be decrypted" in caplog.text
