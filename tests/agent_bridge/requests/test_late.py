"""Late answers are waited for on their lanes, as many as there is room for, and counted once."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, field, frozen
from databases import Database

from agent_bridge.requests import late as late_module
from agent_bridge.requests.ending import Endings
from agent_bridge.requests.late import Invoked, LateAnswers
from agent_bridge.router.frames import Reply
from agent_bridge.router.lanes import LaneLostError
from agent_bridge.usage.metering import Model
from shared.domain.usage import LateUsage, Usage, add_late_usage
from shared.notifications.bus import Notifications
from shared.postgres.pool import connect, create_database
from shared.redis.servers import create_redis
from tests.agent_bridge.requests.claimed import make_claimed
from tests.agent_bridge.stored import execute, insert_left_request, select
from tests.system import System
from tests.users import User, eventually

SAID = {"input_tokens": 3, "output_tokens": 4, "model": "m", "provider": "unknown"}
REPLY = Reply({"response": "late", "usage": SAID}, 0.0)


class NotingEndings(Endings):
    """Notes what would be counted."""

    def __init__(self, system: System) -> None:
        super().__init__(
            Database(system.settings.database_url), Notifications(create_redis(system.settings))
        )
        self.counted: list[UUID] = []

    async def count_late(self, late: list[LateUsage]) -> None:
        self.counted += [each.request_id for each in late]


@frozen
class Asked:
    """A request whose answer a test gives, and its lane."""

    invoked: Invoked
    answer: asyncio.Future[Reply]
    lane: AsyncExitStack


@define
class Line:
    """Requests, and which of them gave back their lanes."""

    endings: NotingEndings
    late: LateAnswers
    given_back: list[UUID] = field(factory=list)

    async def take(self) -> Asked:
        """One more request that is over."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        async def wait() -> Any:
            return await answer

        request = make_claimed(1.0)
        lane = AsyncExitStack()
        lane.callback(self.given_back.append, request.id)
        invoked = Invoked(request, Model("m", "p"), asyncio.create_task(wait()))
        async with lane:
            await self.late.take(invoked, lane)
        return Asked(invoked, answer, lane)

    async def until_waiting(self, count: int) -> None:
        """Wait until so many are waited for."""

        async def holds() -> bool:
            return len(self.late._waiting) == count

        await eventually(holds, f"{count} answers are waited for")


@pytest.fixture
def line(system: System) -> Line:
    endings = NotingEndings(system)
    return Line(endings, LateAnswers(endings))


async def test_a_lane_is_given_back_when_the_answer_has_come(line: Line) -> None:
    asked = await line.take()
    await asyncio.sleep(0)
    assert line.given_back == []
    asked.answer.set_result(REPLY)
    await line.until_waiting(0)
    assert line.given_back == line.endings.counted == [asked.invoked.request.id]


async def test_a_lane_that_is_lost_is_given_back_too(line: Line) -> None:
    asked = await line.take()
    asked.answer.set_exception(LaneLostError("lost"))
    await line.until_waiting(0)
    assert (line.given_back, line.endings.counted) == ([asked.invoked.request.id], [])


async def test_nobody_waits_for_ever(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_module, "LATE_SECONDS", 0.0)
    asked = await line.take()
    await line.until_waiting(0)
    assert asked.invoked.answer.cancelled()
    assert line.given_back == [asked.invoked.request.id]


async def test_of_more_than_there_is_room_for_none_is_waited_for(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_module, "LATE_LIMIT", 2)
    first, second, third = [await line.take() for _ in range(3)]
    assert third.invoked.answer.cancelled()
    assert line.given_back == [third.invoked.request.id]
    first.answer.set_result(REPLY)
    await line.until_waiting(1)
    await line.take()
    assert len(line.late._waiting) == 2
    await line.late.close()
    assert second.invoked.answer.cancelled()
    assert len(line.given_back) == 4


async def test_what_is_taken_and_closed_at_once_gives_its_lane_back(line: Line) -> None:
    asked = await line.take()
    await line.late.close()
    assert line.given_back == [asked.invoked.request.id]
    assert asked.invoked.answer.cancelled()


async def test_usage_is_counted_once_by_its_claim_and_only_where_there_was_no_answer(
    system: System, user: User
) -> None:
    async def add(*late: LateUsage) -> int:
        async with create_database(system.settings) as database, connect(database) as connection:
            await add_late_usage(connection, late)
        sql = "SELECT coalesce(sum(requests), 0) AS n FROM usage_days WHERE user_id = %s"
        [row] = select(system, sql, user.id)
        return int(row["n"])

    id_, session_id = str(uuid4()), str(uuid4())
    insert_left_request(system, user.id, session_id, id_, was_sent=True)
    [row] = select(system, "SELECT claim_id FROM requests WHERE id = %s", id_)
    used = [Usage(3, 4, model="m")]
    late = LateUsage(UUID(id_), row["claim_id"], used)
    assert await add() == 0
    # Whatever a bridge may have made of it by now.
    ended = "UPDATE requests SET status = 'answered', ended_at = now(), seq = 1 WHERE id = %s"
    execute(system, ended, id_)
    assert await add(late) == 0, "that has been counted with its answer"
    execute(system, "UPDATE requests SET status = 'cancelled' WHERE id = %s", id_)
    assert await add(LateUsage(UUID(id_), uuid4(), used)) == 0, "another claim holds"
    assert await add(LateUsage(UUID(id_), uuid4(), used), late) == 1
    assert await add(late) == 1
    [row] = select(system, "SELECT usage FROM requests WHERE id = %s", id_)
    [entry] = row["usage"]
    assert (entry["model"], entry["input_tokens"], entry["output_tokens"]) == ("m", 3, 4)
