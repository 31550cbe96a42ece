"""What keeps a service from starting is one sentence, and what it waits for is told."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from devstack.processes import HOST, Child, free_port
from shared.postgres.apart import look_before
from shared.postgres.poolers import Front, ServerConnection
from shared.process import starting
from shared.process.starting import StartError, require_address, require_postgres
from shared.settings.common import CommonSettings
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import Stores, System, make_secrets, start_executed
from tests.users import eventually

SERVICES = {"gateway": "GATEWAY_PORT", "agent_bridge": "BRIDGE_PORT"}


@pytest.fixture(scope="module")
def lasting(stores: Stores) -> Iterator[System]:
    """An installation whose processes do not end before they are looked at."""
    with stores.system() as system:
        yield system


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """An installation whose processes are executed: what they write last comes at their exit."""
    with stores.system(start_executed) as system:
        yield system


def begin(system: System, service: str, **overrides: str) -> Child:
    return system.start(service, service, {SERVICES[service]: str(free_port()), **overrides})


async def until_ended(child: Child) -> None:
    async def has_ended() -> bool:
        return child.has_ended

    await eventually(has_ended, "the service ends", 20)


@pytest.mark.parametrize(
    ("service", "overrides", "sentence"),
    [
        (
            "gateway",
            {"POSTGRES_DB": "nobodys"},
            r'PostgreSQL at 127\.0\.0\.1:\d+ can\'t be used: database "nobodys" does not exist',
        ),
        (
            "agent_bridge",
            {"POSTGRES_PASSWORD": str(uuid4())},
            r"PostgreSQL at 127\.0\.0\.1:\d+ can't be used: password authentication failed .*",
        ),
        (
            "gateway",
            {"GATEWAY_HOST": "192.0.2.1"},
            r"nobody can listen at 192\.0\.2\.1:\d+: Cannot assign requested address",
        ),
        (
            "agent_bridge",
            {"METRICS_HOST": "192.0.2.1", "BRIDGE_METRICS_PORT": "9999"},
            r"nobody can listen at 192\.0\.2\.1:9999: Cannot assign requested address",
        ),
    ],
    ids=["database", "password", "address", "metrics"],
)
async def test_why_it_can_not_start_is_one_sentence(
    own_system: System, service: str, overrides: dict[str, str], sentence: str
) -> None:
    child = begin(own_system, service, **overrides)
    await until_ended(child)
    assert child.process.wait() == 1
    log = child.last_lines()
    assert "Traceback" not in log
    last = json.loads(log.splitlines()[-1])
    assert last["level"] == "critical"
    assert re.fullmatch(sentence, last["event"])


@pytest.mark.parametrize("service", SERVICES)
async def test_it_tells_that_it_waits_for_postgresql(
    lasting: System, service: str, tmp_path: Path
) -> None:
    child = begin(lasting, service, POSTGRES_HOST=str(tmp_path), POSTGRES_PORT="5")

    async def is_told() -> bool:
        return f"waiting for PostgreSQL at {tmp_path}/.s.PGSQL.5 (" in child.last_lines()

    await eventually(is_told, "it says what it waits for", 20)
    assert not child.has_ended
    child.kill()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_redis_that_is_another_kind_than_it_says_is_one_sentence(
    own_system: System, service: str
) -> None:
    url = own_system.environment["REDIS_URL"].replace("redis://", "redis+cluster://")
    child = begin(own_system, service, REDIS_URL=url)
    await until_ended(child)
    assert child.process.wait() == 1
    last = json.loads(child.last_lines().splitlines()[-1])
    assert last["level"] == "critical"
    assert last["event"].startswith("REDIS_URL names a server that is no node of a Cluster")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({}, r"Redis is Valkey 9\.\S+, a server: 127\.0\.0\.1:\d+"),
        (
            {"REDIS_URL": "redis://127.0.0.1:1"},
            r"REDIS_URL is tried on and on.* Redis is away: ",
        ),
    ],
    ids=["there", "away"],
)
async def test_it_starts_and_tells_which_redis_is_there(
    lasting: System, service: str, overrides: dict[str, str], words: str
) -> None:
    child = begin(lasting, service, **overrides)

    async def is_told() -> bool:
        return re.search(words, child.last_lines()) is not None

    await eventually(is_told, "it tells of Redis", 20)
    assert not child.has_ended
    child.kill()


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "REACH_SECONDS", 0.1)
    variables = {"POSTGRES_HOST": "::1", "POSTGRES_PORT": str(free_port())}
    settings = read_settings({**make_secrets(), **variables}, Settings)
    with pytest.raises(StartError, match=r"^PostgreSQL at \[::1\]:\d+ can't be used: \S"):
        require_postgres(settings)


def test_a_taken_port_is_told() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StartError, match=f"at {HOST}:{port}: Address already in use"):
            require_address(HOST, port)


def test_a_free_one_stays_free() -> None:
    require_address("localhost", port := free_port())
    socket.create_server((HOST, port)).close()


def test_it_looks_again_where_postgresql_goes_away_while_it_is_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    async def look(given: CommonSettings, connection: ServerConnection) -> Front:
        looks.append(given.postgres.place)
        if len(looks) < 3:
            raise ConnectionResetError
        return await look_before(given, connection)

    monkeypatch.setattr(starting, "look_before", look)
    require_postgres(settings)
    assert len(looks) == 3
