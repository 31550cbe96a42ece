"""A crowd that logs in at once, at a gateway with the bounds that it has by default."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import psycopg
import pytest

from devstack.processes import HOST, free_port, wait_until_ready
from gateway.accounts.passwords import Passwords
from tests.system import Stores, System, read_status
from tests.users import PASSWORD, SSL_CONTEXT

USERS = 200
LAG_SECONDS = 0.05


@pytest.fixture
async def crowded(stores: Stores) -> AsyncIterator[tuple[httpx2.AsyncClient, list[str]]]:
    """A gateway whose loop is watched, and the names of users who share an address."""
    with stores.system() as system:
        for name in ("LOGIN_FAILURES_PER_ADDRESS", "REGISTRATIONS_PER_ADDRESS"):
            del system.environment[name]
        names = await insert_users(system)
        port = free_port()
        child = system.start("gateway", "tests.gateway.probed", {"GATEWAY_PORT": str(port)})
        url = f"http://{HOST}:{port}"
        wait_until_ready(child, lambda: read_status(f"{url}/health") == 200)
        async with httpx2.AsyncClient(base_url=url, timeout=60, verify=SSL_CONTEXT) as http:
            yield http, names


async def insert_users(system: System) -> list[str]:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    passwords.close()
    names = [f"user-{uuid4()}" for _ in range(USERS)]
    with psycopg.connect(system.settings.database_url) as connection:
        for name in names:
            sql = "INSERT INTO users (id, username, password) VALUES (%s, %s, %s)"
            connection.execute(sql, [uuid4(), name, stored])
    return names


async def test_everybody_gets_in_and_the_loop_goes_on(
    crowded: tuple[httpx2.AsyncClient, list[str]],
) -> None:
    http, names = crowded

    async def log_in(name: str) -> int:
        form = {"username": name, "password": PASSWORD}
        return (await http.post("/api/login/access-token", data=form)).status_code

    await log_in(names[0])
    await http.get("/lag")
    statuses = await asyncio.gather(*map(log_in, names))
    lag = float((await http.get("/lag")).text)
    assert statuses == [200] * USERS
    assert lag < LAG_SECONDS
