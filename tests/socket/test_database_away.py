"""PostgreSQL goes away under open sockets, and comes back."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import define, field

from devstack.postgres import PostgresServer, run_postgres
from devstack.processes import free_port
from devstack.valkey import ValkeyServer
from shared.migrate import migrate
from tests.master import answer, run_master
from tests.socket.front_end import RESPONSE_KEYS, close_code
from tests.system import (
    System,
    create_database,
    make_environment,
    make_secrets,
    run_system,
    url_of,
)
from tests.users import User, eventually, register_user


@define
class MortalPostgres:
    """A server of the test's own: killed, and started again on the same data."""

    folder: Path
    port: int = field(factory=free_port)
    password: str = make_secrets()["POSTGRES_PASSWORD"]
    _exits: ExitStack = field(factory=ExitStack)

    def start(self) -> PostgresServer:
        """Start it, again after it was stopped."""
        running = run_postgres(self.folder, password=self.password, port=self.port, fast=True)
        return self._exits.enter_context(running)

    def stop(self) -> None:
        """Stop it; sessions are cut off."""
        self._exits.close()


@contextmanager
def _mortal_postgres() -> Iterator[MortalPostgres]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        mortal = MortalPostgres(folder)
        try:
            yield mortal
        finally:
            mortal.stop()


@pytest.fixture
def mortal_postgres() -> Iterator[MortalPostgres]:
    with _mortal_postgres() as mortal:
        yield mortal


@pytest.fixture
def mortal_system(mortal_postgres: MortalPostgres, valkey: ValkeyServer) -> Iterator[System]:
    server = mortal_postgres.start()
    database = create_database(server)
    migrate(url_of(server, database))
    with run_system(make_environment(server, database, valkey, free_port())) as system:
        system.start_router()
        system.start_gateway()
        system.start_bridge()
        yield system


async def test_while_postgresql_is_away_senders_are_told_and_nothing_is_stored(
    mortal_system: System, mortal_postgres: MortalPostgres
) -> None:
    async with (
        register_user(mortal_system.gateway) as user,
        run_master(mortal_system.router_url) as master,
    ):
        await user.create_config()
        async with user.chat() as chat:
            await chat.ask("before")
            mortal_postgres.stop()
            frame = await chat.ask("meanwhile")
            assert frame.keys() == {"type", "response", "seq", "error"}
            assert frame["seq"] is None
            response = frame["response"]
            assert response.keys() == RESPONSE_KEYS
            assert response["is_success"] is False
            assert response["response"] == {
                "agents_trace": [],
                "response": frame["error"],
                "is_success": False,
            }
            query = {"token": user.token, "session_id": chat.session_id}
            assert await close_code(user, **query) == (1013, [])  # not 403: no logging out
            mortal_postgres.start()
            await _until_readable(user, chat.session_id)
            frame = await chat.ask("after")
            assert frame["response"]["response"] == answer("echo: after")
            assert frame["seq"] == 2
            contents = [item["content"] for item in await user.history(chat.session_id)]
        assert [contents[0], contents[2]] == ["before", "after"]
        assert json.loads(contents[3]) == answer("echo: after")
        assert len(contents) == 4
        assert len(master.invocations) == 2


async def _until_readable(user: User, session_id: str) -> None:
    async def holds() -> bool:
        answered = await user.http.get("/api/chat", params={"session_id": session_id})
        return answered.status_code == 200

    await eventually(holds, "the gateway reads PostgreSQL again")
