"""Sessions as server-sent events: messages by POST, what happens as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.end_to_end.socket.test_parts import PARTS, say
from tests.master import Master
from tests.users import FRAME_SECONDS, Json, User


@asynccontextmanager
async def events(
    user: User, session_id: str, *, last: int | None = None, **query: Any
) -> AsyncIterator[AsyncIterator[tuple[int | None, Json]]]:
    """The events of a session: each id, if it has one, and its frame."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    path = f"/api/sessions/{session_id}/events"
    async with user.http.stream("GET", path, headers=headers, params=query) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"

        async def read() -> AsyncIterator[tuple[int | None, Json]]:
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


async def receive_all(stream: AsyncIterator[tuple[int | None, Json]]) -> list[tuple[Any, Json]]:
    """All events up to the answer."""
    told = []
    async with asyncio.timeout(FRAME_SECONDS):
        async for event in stream:
            told.append(event)
            if event[1]["type"] == "agent_response":
                return told
    raise AssertionError(told)


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
