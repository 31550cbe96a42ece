"""Faults of our own behind a socket: it is closed with a code, not cut off, and it is logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import pytest

from tests.agent_bridge.stored import execute
from tests.end_to_end.socket.front_end import close_code
from tests.system import System
from tests.users import User, eventually


@contextmanager
def without_column(system: System, table: LiteralString, column: LiteralString) -> Iterator[None]:
    """A fault that nobody foresaw: statements about this column fail."""
    execute(system, f"ALTER TABLE {table} RENAME COLUMN {column} TO gone")
    try:
        yield
    finally:
        execute(system, f"ALTER TABLE {table} RENAME COLUMN gone TO {column}")


@pytest.mark.usefixtures("master")
async def test_a_delivery_that_fails_closes_its_socket_and_is_logged(
    system: System, user: User
) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
    query = {"token": user.token, "session_id": chat.session_id, "after": "0"}
    with without_column(system, "chatmessages", "content"):
        assert await close_code(user, **query) == (1011, [])
    await _until_logged(system, f"session {chat.session_id}: the delivery failed")


async def test_a_handshake_that_fails_is_closed_and_not_refused(system: System, user: User) -> None:
    with without_column(system, "chatconversations", "last_seq"):
        assert await close_code(user, token=user.token) == (1011, [])
    await _until_logged(system, "a socket failed")


async def _until_logged(system: System, event: str) -> None:
    async def is_logged() -> bool:
        return event in system.log_of("gateway 1")

    await eventually(is_logged, event)
