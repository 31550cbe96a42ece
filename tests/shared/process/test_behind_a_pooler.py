"""Services say what stands before PostgreSQL, and what to set there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psycopg
import pytest

from devstack.processes import free_port
from tests.forked import start_forked
from tests.pooler import run_pooler
from tests.system import StartModule, Stores, System, start_executed, url_of
from tests.users import eventually

PORTS = {"gateway": "GATEWAY_PORT", "agent_bridge": "BRIDGE_PORT"}
STATEMENT_MODE = (
    "can't be used: a pooler in statement mode stands before PostgreSQL, which lets no transaction"
    " begin: please set `pool_mode = transaction` in its configuration"
)
UNLIMITED = "please set one there, with `ALTER ROLE {} SET lock_timeout = '3s'`"


@contextmanager
def behind(stores: Stores, mode: str, start_module: StartModule = start_forked) -> Iterator[System]:
    """An installation behind a pooler of this mode; nothing runs yet."""
    with (
        TemporaryDirectory() as folder,
        run_pooler(Path(folder), stores.postgres, pool_mode=mode) as pooler,
        stores.system(start_module, POSTGRES_PORT=str(pooler.port)) as system,
    ):
        yield system


async def read_pooler(url: str) -> object:
    async with httpx2.AsyncClient(base_url=url) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 200
    return answer.json()["pooler"]


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_its_mode_is_told_at_the_start_and_by_readiness(stores: Stores, mode: str) -> None:
    with behind(stores, mode) as system:
        started = [
            (system.start_gateway(), system.gateway),
            (system.start_bridge(), system.bridges[0]),
        ]
        for child, url in started:
            log = child.log.read_text()
            assert f"PostgreSQL is reached through a pooler in {mode} mode" in log
            assert UNLIMITED.format(stores.of_services["POSTGRES_USER"]) in log
            assert await read_pooler(url) == {"mode": mode, "has_limits": False}


async def test_nothing_is_asked_for_where_the_database_has_limits(stores: Stores) -> None:
    with behind(stores, "transaction") as system:
        name = system.settings.postgres_db
        with psycopg.connect(url_of(stores.postgres, name), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET lock_timeout = '3s'".encode())
        assert "lock_timeout" not in system.start_gateway().log.read_text()
        assert await read_pooler(system.gateway) == {"mode": "transaction", "has_limits": True}


@pytest.mark.parametrize("service", PORTS)
async def test_statement_mode_ends_the_start_with_one_sentence(
    stores: Stores, service: str
) -> None:
    async def has_ended() -> bool:
        return child.has_ended

    # Of one that is executed, what it writes last comes at its exit.
    with behind(stores, "statement", start_executed) as system:
        child = system.start(service, service, {PORTS[service]: str(free_port())})
        await eventually(has_ended, "the service ends", 20)
        log = child.last_lines()
    assert child.process.wait() == 1
    assert "Traceback" not in log
    assert json.loads(log.splitlines()[-1])["event"].endswith(STATEMENT_MODE)
