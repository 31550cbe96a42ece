"""Each frame of a session once and in order, whatever was notified."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID, uuid4

import pytest
from databases import Database

from gateway.streams.delivery import PAGE_BYTES_LIMIT, Delivery, Outgoing
from gateway.streams.delivery import PAGE_LIMIT as PAGE
from gateway.streams.frame_queries import select_frames
from gateway.web.room import SharedRoom
from shared.domain.frames import encode
from shared.notifications.bus import Message
from shared.notifications.formats import FRAME_LIMIT, Request, encode_frames
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from tests.gateway.rows import insert_answer, insert_logs, insert_session, insert_user
from tests.users import eventually


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


@pytest.fixture
async def owner(database: Database) -> UUID:
    return await insert_user(database)


@pytest.fixture
async def delivery(database: Database, owner: UUID) -> Delivery:
    """Delivery of an empty session from its beginning."""
    return Delivery(database, owner, await insert_session(database, owner), 0)


def told(*seqs: int) -> bytes:
    """A notification of frames that PostgreSQL has not: who delivers them did not look there."""
    return encode_frames(seqs[-1], [b'{"notified":%d}' % seq for seq in seqs])


async def hear(delivery: Delivery, *messages: Message) -> list[object]:
    """What is delivered: a number is a frame from a notification, a text one from PostgreSQL."""
    frames: list[dict[str, object]] = []
    for message in messages:
        frames += [json.loads(each.frame) for each in await collect(delivery, message)]
    return [_shown(frame) for frame in frames]


async def collect(delivery: Delivery, message: Message = None) -> list[Outgoing]:
    return [each async for group in delivery.next_frames(message) for each in group]


def _shown(frame: dict[str, object]) -> object:
    match frame:
        case {"notified": number}:
            return number
        case {"type": "agent_log", "log": {"message": text}, "seq": seq} if text == str(seq):
            return text
        case {"type": "agent_response", "response": {"response": {"response": text}}}:
            return f"answer {text}"
        case {"type": "gap", "after": after, "before": before}:
            return after, before
    raise AssertionError(frame)


async def test_the_next_frame_goes_out_as_it_was_told(delivery: Delivery) -> None:
    assert await hear(delivery, told(1), told(2), told(3)) == [1, 2, 3]


async def test_what_was_sent_already_is_dropped(delivery: Delivery) -> None:
    assert await hear(delivery, told(1), told(1), told(2), told(1), told(2)) == [1, 2]


async def test_frames_told_together_go_out_each(delivery: Delivery) -> None:
    assert await hear(delivery, told(1, 2), told(3, 4, 5)) == [1, 2, 3, 4, 5]


async def test_of_frames_told_together_only_those_not_sent_go_out(delivery: Delivery) -> None:
    assert await hear(delivery, told(1, 2), told(1, 2, 3), told(2, 3), told(4)) == [1, 2, 3, 4]


async def test_a_hole_before_frames_told_together_is_read_from_postgresql(
    database: Database, delivery: Delivery
) -> None:
    await insert_logs(database, delivery.session_id, range(1, 5))
    assert await hear(delivery, told(3, 4), told(5)) == ["1", "2", "3", "4", 5]


async def test_a_hole_is_read_from_postgresql(database: Database, delivery: Delivery) -> None:
    await insert_logs(database, delivery.session_id, range(2, 5))
    assert await hear(delivery, told(1), told(4), told(2), told(5)) == [1, "2", "3", "4", 5]


async def test_a_gap_is_read_from_postgresql(database: Database, delivery: Delivery) -> None:
    await insert_logs(database, delivery.session_id, range(1, 4))
    assert await hear(delivery, None, told(2), told(4)) == ["1", "2", "3", 4]


async def test_a_gap_where_nothing_is_missing_gives_nothing(delivery: Delivery) -> None:
    assert await hear(delivery, None, None) == []


async def test_a_frame_too_large_for_a_notification_is_read_from_postgresql(
    database: Database, delivery: Delivery
) -> None:
    await insert_logs(database, delivery.session_id, range(1, 2))
    assert await hear(delivery, encode_frames(1, [b"x" * (FRAME_LIMIT + 1)]), told(2)) == ["1", 2]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 7])
async def test_more_than_a_page_is_read_in_order(
    database: Database, delivery: Delivery, count: int
) -> None:
    await insert_logs(database, delivery.session_id, range(1, count + 1))
    assert await hear(delivery, None) == [str(seq) for seq in range(1, count + 1)]


async def test_logs_and_answers_come_in_their_common_order(
    database: Database, delivery: Delivery
) -> None:
    for first in range(1, 3 * PAGE, PAGE):
        await insert_logs(database, delivery.session_id, range(first, first + PAGE - 1))
        seq = first + PAGE - 1
        await insert_answer(database, delivery.owner, delivery.session_id, seq)
    expected = [f"answer {n}" if n % PAGE == 0 else str(n) for n in range(1, 3 * PAGE + 1)]
    assert await hear(delivery, None) == expected


async def lengthen(database: Database, session_id: UUID, characters: int) -> None:
    """Let each log entry be its number, and so many blanks."""
    sql = "UPDATE logs SET message = message || repeat(' ', :characters) WHERE session_id = :id"
    async with connect(database) as connection:
        await connection.execute(sql, {"characters": characters, "id": session_id})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The sizes of the texts that were read together from PostgreSQL."""
    sizes = list[list[int]]()

    async def select_noted(*args: Any) -> list[Any]:
        frames = await select_frames(*args)
        sizes.append([len(encode(stored.frame)) for stored in frames])
        return frames

    monkeypatch.setattr("gateway.streams.delivery.select_frames", select_noted)
    return sizes


@pytest.mark.parametrize("characters", [1000, 20_000, 65_000, 200_000])
async def test_a_page_is_bounded_in_bytes_and_nothing_is_left_out(
    database: Database, delivery: Delivery, read: list[list[int]], characters: int
) -> None:
    await insert_logs(database, delivery.session_id, range(1, 31))
    await lengthen(database, delivery.session_id, characters)
    frames = [json.loads(each.frame) for each in await collect(delivery)]
    assert [each["seq"] for each in frames] == [*range(1, 31)]
    for sizes in read:
        assert len(sizes) == 1 or sum(sizes) < PAGE_BYTES_LIMIT + 1000 * len(sizes)
    assert len(read) < 30 or characters > PAGE_BYTES_LIMIT // 2


async def test_a_larger_frame_is_read_when_there_is_room_for_it(
    database: Database, owner: UUID, read: list[list[int]]
) -> None:
    session_id = await insert_session(database, owner)
    await insert_logs(database, session_id, range(1, 3))
    await lengthen(database, session_id, 200_000)
    room = SharedRoom(10**9, 500_000)
    first, second = (Delivery(database, owner, session_id, 0, room) for _ in range(2))
    async with aclosing(first.next_frames(None)) as stuck:
        await anext(stuck)
        waiting = asyncio.create_task(collect(second))
        await eventually(lambda: asyncio.sleep(0, bool(room._users[owner]._waiting)), "one waits")
        assert len(read) == 1
    assert len(await waiting) == 2
    assert room.free == 10**9
    assert not room._users


async def test_it_begins_behind_what_the_socket_has(database: Database, owner: UUID) -> None:
    session_id = await insert_session(database, owner)
    await insert_logs(database, session_id, range(1, 6))
    delivery = Delivery(database, owner, session_id, 3)
    assert await hear(delivery, told(2), None) == ["4", "5"]


async def test_rows_without_a_number_are_passed_over(
    database: Database, delivery: Delivery
) -> None:
    sql = "INSERT INTO logs (session_id, request_id, log_level, message) VALUES (:s, :r, 'i', 'm')"
    async with connect(database) as connection:
        await connection.execute(sql, {"s": delivery.session_id, "r": uuid4()})
    assert await hear(delivery, None) == []


async def test_nobody_but_the_owner_is_given_frames(database: Database, owner: UUID) -> None:
    session_id = await insert_session(database, owner)
    await insert_logs(database, session_id, range(1, 3))
    await insert_answer(database, owner, session_id, 3)
    stranger = await insert_user(database)
    assert await hear(Delivery(database, stranger, session_id, 0), None) == []


async def test_what_was_removed_is_a_gap_before_what_there_is(
    database: Database, owner: UUID, delivery: Delivery
) -> None:
    await insert_logs(database, delivery.session_id, range(4, 6))
    assert await hear(delivery, None, told(6)) == [(0, 4), "4", "5", 6]


async def test_where_all_was_removed_there_is_a_gap_alone(database: Database, owner: UUID) -> None:
    delivery = Delivery(database, owner, await insert_session(database, owner, last_seq=7), 2)
    assert await hear(delivery, None, None, told(8)) == [(2, 8), 8]


async def test_a_frame_says_which_request_it_answers_however_it_came(
    database: Database, owner: UUID, delivery: Delivery
) -> None:
    await insert_logs(database, delivery.session_id, range(1, 2))
    answered = await insert_answer(database, owner, delivery.session_id, 2)
    last = Request(uuid4(), uuid4())
    notified = encode_frames(4, [b"{}", b"{}"], last, is_answered=True)
    heard = [
        (each.request, each.is_answer)
        for message in (None, notified)
        for each in await collect(delivery, message)
    ]
    [(logged, _), *others] = heard
    assert logged is not None
    assert others == [(Request(answered), True), (last, False), (last, True)]


async def test_a_frame_is_repeated_once_and_only_from_before_the_socket(
    database: Database, owner: UUID, delivery: Delivery
) -> None:
    await insert_answer(database, owner, delivery.session_id, 1)
    later = Delivery(database, owner, delivery.session_id, 1)
    assert await delivery.repeat(1) is None
    [given] = await collect(delivery)
    assert await delivery.repeat(1) is None
    assert [await later.repeat(1), await later.repeat(1)] == [given, None]


async def test_a_frame_that_was_removed_is_not_repeated(database: Database, owner: UUID) -> None:
    delivery = Delivery(database, owner, await insert_session(database, owner, last_seq=7), 7)
    assert await delivery.repeat(3) is None


async def test_a_large_answer_is_told_as_it_was_stored(
    database: Database, owner: UUID, delivery: Delivery
) -> None:
    await insert_answer(database, owner, delivery.session_id, 1)
    sql = """
        UPDATE chatmessages SET content = replace(content, '"agents_trace"', :more)
        WHERE conversation_id = :id
    """
    more = '"date": "2026-01-02T03:04:05", "trace": "%s", "agents_trace"' % ("T" * 500_000)
    async with connect(database) as connection:
        await connection.execute(sql, {"more": more, "id": delivery.session_id})
    [frame] = [json.loads(each.frame) for each in await collect(delivery)]
    answer = frame["response"]["response"]
    assert (answer["date"], answer["trace"]) == ("2026-01-02T03:04:05", "T" * 500_000)
    assert answer["response"] == "1"
