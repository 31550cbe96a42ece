"""`/health`: the process answers. `/ready`: so does what it needs."""

import asyncio
from collections.abc import Mapping

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from shared.database import create_database
from shared.health import Check, database_answers, health_routes
from shared.settings import Settings
from tests.shared.line import Line
from tests.system import System


async def holds() -> bool:
    return True


async def fails() -> bool:
    return False


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


async def test_what_is_dispensable_is_named_but_does_not_decide() -> None:
    app = Starlette(routes=health_routes(lambda _: {"a": holds, "b": fails}, dispensable=["b"]))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as http:
        answer = await http.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"a": True, "b": False})


async def read(path: str, **checks: Check) -> httpx2.Response:
    def named(_request: Request) -> Mapping[str, Check]:
        return checks

    app = Starlette(routes=health_routes(named))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as http:
        return await http.get(path)


async def test_a_process_is_alive_whatever_it_needs() -> None:
    answer = await read("/health", a=fails)
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_a_process_is_ready_when_all_it_needs_is() -> None:
    answer = await read("/ready", a=holds, b=holds)
    assert (answer.status_code, answer.json()) == (200, {"a": True, "b": True})


async def test_what_is_not_ready_is_named() -> None:
    answer = await read("/ready", a=holds, b=fails)
    assert (answer.status_code, answer.json()) == (503, {"a": True, "b": False})


async def test_a_check_that_hangs_counts_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.health.CHECK_SECONDS", 0.05)
    answer = await read("/ready", a=hangs, b=holds)
    assert (answer.status_code, answer.json()) == (503, {"a": False, "b": True})


async def test_postgresql_is_up_or_away(line_settings: Settings, line: Line) -> None:
    async with create_database(line_settings) as database:
        before = await database_answers(database)
        await line.cut()
        assert (before, await database_answers(database)) == (True, False)


async def test_a_real_gateway_is_ready(system: System) -> None:
    async with httpx2.AsyncClient(base_url=system.gateway) as http:
        answer = await http.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"postgresql": True, "redis": True})
