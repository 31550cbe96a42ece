"""`/health`: the process answers. `/ready`: so does what it needs."""

import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest
from starlette.applications import Starlette

from shared import VERSION
from shared.postgres.pool import connect, create_database
from shared.postgres.pulse import FEWEST
from shared.process.drain import Drain
from shared.process.health import Check, DatabaseProbe, Readiness, health_routes
from shared.settings.installation import Settings
from tests.shared.line import Line
from tests.system import System
from tests.users import eventually


async def holds() -> bool:
    return True


async def fails() -> bool:
    return False


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


async def leave(_seconds: float) -> None:
    """There is nothing to end."""


def read_is_up(found: dict[str, Any]) -> dict[str, bool]:
    assert found.pop("draining") is False
    assert found.pop("version") == VERSION
    return {name: state["is_up"] for name, state in found.items()}


async def read(path: str, readiness: Readiness) -> httpx2.Response:
    app = Starlette(routes=health_routes())

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {"readiness": readiness}}, receive, send)

    transport = httpx2.ASGITransport(app=with_state)
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as http:
        return await http.get(path)


async def read_ready(**checks: Check) -> httpx2.Response:
    return await read("/ready", Readiness(Drain(leave), checks))


async def test_a_process_is_alive_whatever_it_needs() -> None:
    answer = await read("/health", Readiness(Drain(leave), {"a": fails}))
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "alive", "version": VERSION},
    )


async def test_a_process_is_ready_when_all_it_needs_is() -> None:
    answer = await read_ready(a=holds, b=holds)
    assert (answer.status_code, read_is_up(answer.json())) == (200, {"a": True, "b": True})


async def test_what_is_not_ready_is_named() -> None:
    answer = await read_ready(a=holds, b=fails)
    assert (answer.status_code, read_is_up(answer.json())) == (503, {"a": True, "b": False})


async def test_what_is_not_ready_may_say_why() -> None:
    async def is_full() -> str:
        return "full"

    answer = await read_ready(a=holds, b=is_full)
    assert answer.status_code == 503
    found = answer.json()
    assert (found["b"]["is_up"], found["b"]["why"]) == (False, "full")
    assert found["a"].keys() == {"is_up", "ms"}


async def test_what_is_dispensable_is_named_but_does_not_decide() -> None:
    readiness = Readiness(Drain(leave), {"a": holds, "b": fails}, dispensable=["b"])
    answer = await read("/ready", readiness)
    assert (answer.status_code, read_is_up(answer.json())) == (200, {"a": True, "b": False})


async def test_a_check_that_hangs_counts_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.process.health.CHECK_SECONDS", 0.05)
    answer = await read_ready(a=hangs, b=holds)
    assert (answer.status_code, read_is_up(answer.json())) == (503, {"a": False, "b": True})


async def test_each_dependency_tells_its_time_in_ms() -> None:
    async def takes_time() -> bool:
        await asyncio.sleep(0.02)
        return True

    answer = await read_ready(a=takes_time)
    assert 20 <= answer.json()["a"]["ms"] < 3000


async def test_facts_are_told_and_decide_nothing() -> None:
    readiness = Readiness(Drain(leave), {"a": holds}, facts=lambda: {"session": {"is_held": False}})
    answer = await read("/ready", readiness)
    assert (answer.status_code, answer.json()["session"]) == (200, {"is_held": False})


async def test_a_process_that_goes_down_is_not_ready_and_asks_nobody() -> None:
    readiness = Readiness(Drain(leave, has_begun=True), {"a": hangs})
    answer = await read("/ready", readiness)
    assert (answer.status_code, answer.json()) == (
        503,
        {"draining": True, "version": VERSION},
    )


async def test_any_number_of_callers_make_one_check() -> None:
    count = 0

    async def counts() -> bool:
        nonlocal count
        count += 1
        await asyncio.sleep(0.05)
        return True

    readiness = Readiness(Drain(leave), {"a": counts})
    answers = await asyncio.gather(*(read("/ready", readiness) for _ in range(50)))
    assert ({answer.status_code for answer in answers}, count) == ({200}, 1)


async def test_a_caller_that_leaves_takes_the_check_from_nobody() -> None:
    release = asyncio.Event()

    async def waits() -> bool:
        return await release.wait()

    readiness = Readiness(Drain(leave), {"a": waits})
    first, second = (asyncio.create_task(readiness.answer()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    release.set()
    assert (await second).status_code == 200


async def test_postgresql_is_up_or_away(line_settings: Settings, line: Line) -> None:
    probe = DatabaseProbe(line_settings, create_database(line_settings))
    before = [await probe.answers() for _ in range(2)]
    await line.cut()
    away = [await probe.answers() for _ in range(2)]
    await line.mend()
    assert (before, away, await probe.answers()) == ([True] * 2, [False] * 2, True)
    probe.close()


async def test_postgresql_is_not_up_while_the_pool_s_statements_all_fail(
    settings: Settings,
) -> None:
    async with create_database(settings) as database:
        probe = DatabaseProbe(settings, database)
        assert await probe.answers() is True
        for _ in range(FEWEST):
            with pytest.raises(asyncpg.UndefinedTableError):
                async with connect(database) as connection:
                    await connection.fetch_val("SELECT FROM nowhere")
        assert await probe.answers() == "most statements fail, the last with UndefinedTableError"
        probe.close()


async def test_a_real_gateway_is_ready(system: System) -> None:
    async with httpx2.AsyncClient(base_url=system.gateway) as http:
        answer = await http.get("/ready")
    found = answer.json()
    assert found.pop("pooler") == {"mode": None, "has_limits": True}
    assert found.pop("redis_kind") == "a server"
    expected = {"postgresql": True, "redis": True, "files": True}
    assert (answer.status_code, read_is_up(found)) == (200, expected)


async def test_a_real_bridge_is_ready_and_tells_of_its_router_session(system: System) -> None:
    async with httpx2.AsyncClient(base_url=system.bridges[0]) as http:
        answer = await http.get("/ready")
    found = answer.json()
    assert found.pop("pooler") == {"mode": None, "has_limits": True}
    assert found.pop("redis_kind") == "a server"
    assert isinstance(found.pop("router_session")["is_held"], bool)
    assert found.pop("agents_are_authenticated") is False
    assert found.pop("agents_door") is None
    assert found.pop("secrets_to_reencrypt") is not None
    assert answer.status_code == 200
    assert read_is_up(found) == {"postgresql": True, "redis": True}


async def test_a_bridge_without_a_door_for_agents_warns_of_it_at_its_start(system: System) -> None:
    async def warns() -> bool:
        return "AGENTS_PORT is 0" in system.log_of("bridge 1")

    await eventually(warns, "the log of the bridge says so")


async def test_readiness_tells_no_address_and_no_secret(system: System) -> None:
    for url in (system.gateway, system.bridges[0]):
        async with httpx2.AsyncClient(base_url=url) as http:
            text = (await http.get("/ready")).text
        hidden = ("HOST", "PORT", "URL", "KEY", "KEYS", "PASSWORD", "DB")
        told = [
            name
            for name, value in system.environment.items()
            if name.endswith(hidden) and value in text
        ]
        assert told == []
