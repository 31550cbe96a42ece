"""Large invocations of one user go one after the other, and hold up nobody else's."""

import asyncio
from uuid import UUID, uuid4

import pytest

from agent_bridge.requests import pacing as module
from agent_bridge.requests.pacing import BURST_BYTES, BYTES_PER_SECOND, SMALL_BYTES, Pacing

USER = uuid4()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long somebody is to wait, in place of waiting; the clock stands still."""
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    return pauses


async def _send(pacing: Pacing, user_id: UUID, *sizes: int) -> None:
    for size in sizes:
        await pacing.wait(user_id, size)


async def test_what_is_above_his_share_waits_longer_each_time(pauses: list[float]) -> None:
    await _send(Pacing(), USER, BURST_BYTES, BYTES_PER_SECOND, BYTES_PER_SECOND)
    assert pauses == [1.0, 2.0]


async def test_nobody_else_waits(pauses: list[float]) -> None:
    pacing = Pacing()
    await _send(pacing, USER, *[BURST_BYTES] * 3)
    pauses.clear()
    await _send(pacing, uuid4(), BURST_BYTES)
    assert pauses == []


async def test_what_is_small_waits_for_nothing(pauses: list[float]) -> None:
    pacing = Pacing()
    await _send(pacing, USER, *[BURST_BYTES] * 3)
    pauses.clear()
    await _send(pacing, USER, SMALL_BYTES)
    assert pauses == []


async def test_a_share_comes_back_with_time(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pacing = Pacing()
    await _send(pacing, USER, BURST_BYTES)
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    await _send(pacing, USER, BURST_BYTES)
    assert pauses == []


async def test_so_many_are_remembered(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USERS_LIMIT", 2)
    pacing = Pacing()
    for user_id in (USER, uuid4(), uuid4()):
        await _send(pacing, user_id, BURST_BYTES)
    assert len(pacing._shares) == 2
    assert USER not in pacing._shares
