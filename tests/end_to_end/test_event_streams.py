"""Sessions as server-sent events: messages by POST, what happens as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import messages_of
from tests.end_to_end.socket.test_parts import PARTS, say
from tests.master import Invocation, Master, answer
from tests.parts import Dictation, text_of
from tests.users import FRAME_SECONDS, Json, User

type Event = tuple[int | None, Json]


@asynccontextmanager
async def events(
    user: User, session_id: str, *, last: object = None, **query: Any
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a session: each id, if it has one, and its frame."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    path = f"/api/sessions/{session_id}/events"
    async with user.http.stream("GET", path, headers=headers, params=query) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"

        async def read() -> AsyncIterator[Event]:
            id_ = None
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                match name:
                    case "id":
                        id_ = int(value)
                    case "data":
                        yield id_, json.loads(value)
                        id_ = None

        yield read()


async def post(user: User, session_id: str, message: str, **others: Any) -> Json:
    """Send a message; what is said of it."""
    path = f"/api/sessions/{session_id}/messages"
    answered = await user.http.post(path, json={"message": message, **others})
    assert answered.status_code == 202, answered.text
    accepted: Json = answered.json()
    return accepted


async def receive(stream: AsyncIterator[Event], count: int) -> list[Event]:
    """So many events that are stored, with the parts in between."""
    told: list[Event] = []
    async with asyncio.timeout(FRAME_SECONDS):
        while len([id_ for id_, _ in told if id_ is not None]) < count:
            told.append(await anext(stream))
    return told


async def receive_all(stream: AsyncIterator[Event]) -> list[Event]:
    """All events up to the answer."""
    told = await receive(stream, 1)
    while told[-1][1]["type"] != "agent_response":
        told += await receive(stream, 1)
    return told


async def test_a_message_is_sent_and_its_answer_told_as_it_is_made(
    user: User, master: Master
) -> None:
    master.behave = say
    session_id, message_id = str(uuid4()), str(uuid4())
    async with events(user, session_id) as stream:
        accepted = await post(user, session_id, "What is the time?", message_id=message_id)
        *parts, (seq, last) = await receive_all(stream)
    assert "".join(part["text"] for _, part in parts) == "".join(PARTS)
    assert {id_ for id_, _ in parts} == {None}
    assert (seq, last["seq"], last["message_id"]) == (1, 1, message_id)
    assert accepted == {
        "type": "accepted",
        "message_id": message_id,
        "request_id": last["response"]["request_id"],
        "session_id": session_id,
        "seq": 0,
    }


async def log_and_answer(invocation: Invocation) -> Json:
    """Three frames are stored."""
    for number in range(2):
        await invocation.log(str(number))
        await invocation.log("part", "delta")
    return answer("done")


@pytest.mark.parametrize("is_header", [True, False])
async def test_who_connects_again_misses_nothing_and_gets_nothing_twice(
    user: User, master: Master, *, is_header: bool
) -> None:
    master.behave = log_and_answer
    session_id = str(uuid4())
    for _ in range(3):
        await post(user, session_id, "hello")
    told: list[Json] = []
    while len(told) < 9:  # two at a time
        how = {"last": len(told)} if is_header else {"after": len(told)}
        async with events(user, session_id, **how) as stream:
            for id_, frame in await receive(stream, min(2, 9 - len(told))):
                if id_ is not None:
                    told.append(frame)
                    assert (id_, frame["seq"]) == (len(told), len(told))
    async with user.chat(session_id, after=0, protocol=2) as chat:
        assert [await chat.receive() for _ in range(9)] == told


async def test_what_a_browser_says_counts_more_than_its_address(user: User, master: Master) -> None:
    session_id = str(uuid4())
    for text in ("one", "two"):
        async with user.chat(session_id) as chat:
            await chat.ask(text)
    async with events(user, session_id, last=1, after=0) as stream:
        [(id_, frame)] = await receive(stream, 1)
    assert (id_, frame["response"]["response"]["response"]) == (2, "echo: two")
    async with events(user, session_id, last="", after=0) as stream:
        assert (await receive(stream, 1))[0][0] == 1


async def test_without_a_place_it_begins_with_what_comes_next(user: User, master: Master) -> None:
    session_id = str(uuid4())
    async with user.chat(session_id) as chat:
        await chat.ask("one")
        async with events(user, session_id) as stream, events(user, session_id, after=99) as ahead:
            await chat.ask("two")
            assert [(await receive(each, 1))[0][0] for each in (stream, ahead)] == [2, 2]


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "0x1", "9" * 5000])
async def test_a_place_that_is_none_is_told(user: User, place: str) -> None:
    path = f"/api/sessions/{uuid4()}/events"
    said = await user.http.get(path, headers={"Last-Event-ID": place})
    asked = await user.http.get(path, params={"after": place})
    for refused, loc in ((said, ["header", "last-event-id"]), (asked, ["query", "after"])):
        assert refused.status_code == 422
        assert [fault["loc"] for fault in refused.json()["detail"]] == [loc]


async def test_head_is_answered_at_once(user: User) -> None:
    answered = await user.http.head(f"/api/sessions/{uuid4()}/events")
    assert answered.status_code == 200
    assert answered.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answered.content == b""


async def test_the_session_of_somebody_else_is_closed(user: User, other_user: User) -> None:
    session_id = str(uuid4())
    await post(other_user, session_id, "mine")
    read = await user.http.get(f"/api/sessions/{session_id}/events")
    sent = await user.http.post(f"/api/sessions/{session_id}/messages", json={"message": "x"})
    assert (read.status_code, sent.status_code) == (400, 400)
    assert read.json() == {"detail": f"Chat with session_id {session_id} does not exist"}
    assert sent.json() == {"detail": "This session belongs to another user."}


async def test_who_listens_to_a_session_that_somebody_else_begins_hears_nothing(
    user: User, other_user: User, master: Master
) -> None:
    master.behave = say
    session_id = str(uuid4())
    async with events(user, session_id) as stream:
        async with events(other_user, session_id) as theirs:
            await post(other_user, session_id, "mine")
            await receive_all(theirs)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(stream)


async def test_who_comes_late_gets_the_text_so_far(user: User, master: Master) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    session_id = str(uuid4())
    accepted = await post(user, session_id, "What is the time?")
    dictation.say("It is ")
    async with events(user, session_id, after=accepted["seq"]) as stream:
        while True:
            id_, part = await anext(stream)
            if part["text"] == "It is ":
                break
        assert (id_, part["index"], part["type"]) == (None, 0, "delta")
        dictation.say("twelve")
        dictation.end()
        *parts, (_, last) = await receive_all(stream)
    assert text_of([frame for _, frame in parts]) == "twelve"
    assert last["response"]["response"]["response"] == "It is twelve"


async def test_the_same_message_again_is_the_same_request(user: User, master: Master) -> None:
    session_id, message_id = str(uuid4()), str(uuid4())
    async with events(user, session_id) as stream:
        first = await post(user, session_id, "hello", message_id=message_id)
        await receive_all(stream)
        assert await post(user, session_id, "hello", message_id=message_id) == first
        await post(user, session_id, "next")
        [(seq, _)] = await receive_all(stream)
    assert seq == 2
    assert messages_of(master) == ["hello", "next"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"nonsense", 422, "json_invalid"),
        (b"[]", 422, "Input should be"),
        (b"{}", 422, "Field required"),
        (b'{"message": 5}', 400, "'message' must be a text"),
        (b'{"message": "a", "message_id": "b"}', 422, "uuid_parsing"),
        (b'{"message": "a", "files": ["b"]}', 422, "uuid_parsing"),
        (b'{"message": "a\\u0000"}', 400, "'message' must have no NUL character"),
        (b'{"message": "\\ud800"}', 400, "'message' must have no broken character"),
    ],
)
async def test_a_malformed_message_is_told_and_begins_no_chat(
    user: User, body: bytes, status: int, told: str
) -> None:
    session_id = uuid4()
    headers = {"Content-Type": "application/json"}
    path = f"/api/sessions/{session_id}/messages"
    refused = await user.http.post(path, content=body, headers=headers)
    assert refused.status_code == status, refused.text
    assert told in str(refused.json()["detail"])
    assert (await user.http.get("/api/chats")).json() == {"chats": []}


async def test_a_message_that_is_too_long_is_told(user: User) -> None:
    path = f"/api/sessions/{uuid4()}/messages"
    refused = await user.http.post(path, json={"message": "x" * 600_000})
    assert refused.status_code == 422
    assert [fault["type"] for fault in refused.json()["detail"]] == ["too_long"]
    assert len(refused.text) < 1000
