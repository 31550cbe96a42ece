"""PostgreSQL takes nothing but reading for a moment, as it does while it changes servers."""

import psycopg
from psycopg import sql

from tests.master import answer, run_master
from tests.system import System
from tests.users import Chat, eventually, register_user

NEW_AGENT = {"name": "a", "description": "b", "input_parameters": {}}


def _set_read_only(system: System, *, is_on: bool) -> None:
    """Have every new session read only, and all sessions new."""
    name = system.environment["POSTGRES_DB"]
    value = sql.SQL("on" if is_on else "off")
    statement = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    writing = "-c default_transaction_read_only=off"
    url = system.settings.database_url
    with psycopg.connect(url, autocommit=True, options=writing) as connection:
        connection.execute(statement.format(sql.Identifier(name), value))
        connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )


async def _until_logged(system: System, name: str, text: str) -> None:
    async def holds() -> bool:
        return text in system.log_of(name)

    await eventually(holds, f"{name} has logged {text!r}")


async def _until_answered(chat: Chat) -> None:
    async def holds() -> bool:
        frame = await chat.ask("after")
        return bool(frame["response"]["response"] == answer("echo: after"))

    await eventually(holds, "a message is answered again", 20)


async def test_a_postgresql_that_is_read_only_for_a_moment_ends_neither_service(
    bare_system: System,
) -> None:
    bare_system.start_router()
    bare_system.start_gateway()
    bare_system.start_bridge()
    async with (
        register_user(bare_system.gateway) as user,
        run_master(bare_system.router_url),
    ):
        await user.create_config()
        async with user.chat() as chat:
            await chat.ask("before")
            _set_read_only(bare_system, is_on=True)
            refused = await chat.ask("meanwhile")
            assert refused["response"]["is_success"] is False
            assert (await user.http.post("/api/agents/register", json=NEW_AGENT)).status_code == 503
            await _until_logged(bare_system, "bridge 1", "ReadOnlySQLTransactionError")
            _set_read_only(bare_system, is_on=False)
            await _until_answered(chat)
        ended = [child.name for child in bare_system.children.values() if child.has_ended]
    assert ended == []
