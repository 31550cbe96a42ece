"""Parts wait in their order until it is known of what they name, and not too many of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from attrs import define, field
from databases import Database
from databases.core import Connection

from agent_bridge.parts import lookups
from agent_bridge.parts.lookups import (
    CHARACTERS_LIMIT,
    PARTS_LIMIT,
    TOGETHER,
    WAITING_LIMIT,
    Lookups,
)
from agent_bridge.router.frames import AgentLogged
from shared.postgres.pool import DatabaseAwayError
from tests.users import eventually

NAME, OTHER = UUID(int=1), UUID(int=2)


def part(text: str) -> AgentLogged:
    return AgentLogged("agent", "session", "request", "delta", text)


@define
class Store:
    """What is known, once it may be told; and what went on, with what was found."""

    may_tell: asyncio.Event = field(factory=asyncio.Event)
    away: int = 0
    asked: list[list[UUID]] = field(factory=list)
    gone_on: list[tuple[str, str | None]] = field(factory=list)

    async def select(self, _: Connection, ids: list[UUID]) -> dict[UUID, str]:
        self.asked.append(ids)
        await self.may_tell.wait()
        if self.away:
            self.away -= 1
            raise DatabaseAwayError("away")
        return {id_: "known" for id_ in ids if id_ != OTHER}

    def take(self, logged: AgentLogged, found: str | None) -> bool:
        self.gone_on.append((logged.message, found))
        return found is not None

    async def until(self, count: int) -> None:
        async def holds() -> bool:
            return len(self.gone_on) >= count

        await eventually(holds, f"{count} went on")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is needed."""

    @asynccontextmanager
    async def connect(_: Database) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(lookups, "connect", connect)
    monkeypatch.setattr(lookups, "RETRY_SECONDS", 0.01)


@pytest.fixture
async def waiting(store: Store) -> AsyncIterator[Lookups[str]]:
    found = Lookups[str](Database("postgresql://nowhere/none"), store.select, store.take)
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_parts_go_on_in_their_order_after_one_question(
    store: Store, waiting: Lookups[str]
) -> None:
    assert all(waiting.put(NAME, part(text)) for text in "abc")
    await asyncio.sleep(0)
    assert waiting.put(NAME, part("d"))
    assert store.gone_on == []
    store.may_tell.set()
    await store.until(4)
    assert waiting.put(NAME, part("e"))
    assert store.gone_on == [(text, "known") for text in "abcde"]
    assert store.asked == [[NAME]]


async def test_what_nobody_knows_is_asked_for_once(store: Store, waiting: Lookups[str]) -> None:
    store.may_tell.set()
    assert waiting.put(OTHER, part("a"))
    await store.until(1)
    assert not waiting.put(OTHER, part("b"))
    assert store.gone_on == [("a", None), ("b", None)]
    assert store.asked == [[OTHER]]


async def test_what_was_known_is_asked_for_again(
    store: Store, waiting: Lookups[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "KNOWN_SECONDS", 0.0)
    store.may_tell.set()
    for number in range(3):
        assert waiting.put(NAME, part("x"))
        await store.until(number + 1)
    assert store.asked == [[NAME]] * 3


async def test_while_the_database_is_away_none_is_lost(store: Store, waiting: Lookups[str]) -> None:
    store.away = 3
    store.may_tell.set()
    assert all(waiting.put(NAME, part(text)) for text in "abc")
    await store.until(3)
    assert [text for text, _ in store.gone_on] == ["a", "b", "c"]
    assert len(store.asked) == 4


async def test_many_are_asked_for_together(store: Store, waiting: Lookups[str]) -> None:
    store.may_tell.set()
    for number in range(TOGETHER + 1):
        waiting.put(UUID(int=number + 10), part("x"))
    await store.until(TOGETHER + 1)
    assert [len(ids) for ids in store.asked] == [TOGETHER, 1]


async def test_what_waits_is_bounded(store: Store, waiting: Lookups[str]) -> None:
    assert all(waiting.put(NAME, part("")) for _ in range(PARTS_LIMIT))
    assert not waiting.put(NAME, part(""))
    ids = [UUID(int=number + 10) for number in range(WAITING_LIMIT)]
    assert [waiting.put(id_, part("")) for id_ in ids] == [True] * (WAITING_LIMIT - 1) + [False]
    assert not waiting.put(ids[0], part("x" * (CHARACTERS_LIMIT + 1)))
    assert waiting.put(ids[0], part("x" * CHARACTERS_LIMIT))
    assert not waiting.put(ids[1], part("x"))
    store.may_tell.set()
    await store.until(PARTS_LIMIT + WAITING_LIMIT)
    assert waiting.put(NAME, part("x" * CHARACTERS_LIMIT)), "there is room again"


async def test_what_is_remembered_is_bounded(
    store: Store, waiting: Lookups[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "KNOWN_LIMIT", 10)
    store.may_tell.set()
    for number in range(30):
        waiting.put(UUID(int=number + 10), part("x"))
    await store.until(30)
    assert len(waiting._known) == 10
