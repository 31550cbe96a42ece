"""What one client is told of a session: parts joined while it is busy, and asked for if missing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from attrs import define, field
from databases import Database

from gateway.streams import following
from gateway.streams.deliveries import Deliveries
from gateway.streams.delivery import Delivery, Outgoing
from gateway.streams.events import Part
from gateway.streams.following import Feed, Parts
from shared.notifications.bus import LISTENER_LIMIT, Listener, Message, Notifications
from shared.notifications.channels import ASKED_PARTS
from shared.notifications.formats import Addition, Additions, Request, encode_additions

REQUEST = Request(UUID(int=1), UUID(int=2))
LOG = Outgoing(1, "a log entry", REQUEST)
ANSWER = Outgoing(2, "the answer", REQUEST, is_answer=True)
FRAMES = {b"frames/3 log": LOG, b"frames/3 answer": ANSWER}


class Scripted(Delivery):
    """Frames that a test has made up."""

    async def next_frames(self, message: Message) -> AsyncGenerator[list[Outgoing]]:
        if message in FRAMES:
            yield [FRAMES[message]]


@define
class Line(Notifications):
    """Notes who asks."""

    asked: list[bytes] = field(factory=list)

    def publish(self, channel: str, message: bytes) -> None:
        assert channel == ASKED_PARTS
        self.asked.append(message)


@define
class Client:
    """Somebody who follows a session."""

    listener: Listener
    line: Line
    events: AsyncGenerator[Outgoing | Part]
    said: str = ""

    def hear(self, text: str, *, is_lost: bool = False) -> None:
        """The answer goes on."""
        addition = Addition(None, len(self.said), text)
        self.said += text
        if not is_lost:
            self.listener.put(encode_additions(Additions(REQUEST, [addition])))

    def hear_all(self) -> None:
        """The text so far is told again."""
        told = Additions(REQUEST, [Addition(None, 0, self.said)])
        self.listener.put(encode_additions(told))

    async def next(self) -> Any:
        """What it is told next: a part's index and text, or a frame."""
        async with asyncio.timeout(5):
            event = await anext(self.events)
        return (event.index, event.text) if isinstance(event, Part) else event


NOWHERE = Database("postgresql://nowhere/none")
NOTED = Deliveries(NOWHERE)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    line, listener = Line(), Listener()
    delivery = Scripted(NOWHERE, UUID(int=3), UUID(int=4), 0)
    feed = Feed(delivery, listener, Parts(line, b"asked"), NOTED)
    async with aclosing(feed.events()) as events:
        yield Client(listener, line, events)


async def test_while_it_is_busy_parts_are_joined(client: Client) -> None:
    client.hear("one ")
    assert await client.next() == (0, "one ")
    for _ in range(100):
        client.hear("more ")
    assert await client.next() == (1, "more " * 100)
    assert client.line.asked == []


async def test_it_asks_for_the_text_so_far_when_it_comes(client: Client) -> None:
    client.hear("one ", is_lost=True)
    client.listener.put(None)
    client.hear_all()
    assert await client.next() == (0, "one ")
    assert client.line.asked == [b"asked"]


async def test_it_asks_for_what_is_missing_but_not_too_often(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.hear("one ")
    assert await client.next() == (0, "one ")
    client.hear("two ", is_lost=True)
    for _ in range(3):
        client.hear("more ")
    client.listener.put(b"frames/3 log")
    assert await client.next() == LOG
    assert client.line.asked == [b"asked"]
    monkeypatch.setattr(following, "ASK_SECONDS", 0.0)
    client.hear("last ")
    client.hear_all()
    assert await client.next() == (1, "two more more more last ")
    assert client.line.asked == [b"asked"] * 2


async def test_of_one_that_takes_nothing_no_more_waits_than_may(client: Client) -> None:
    client.hear("one ")
    assert await client.next() == (0, "one ")
    for _ in range(3 * LISTENER_LIMIT):
        client.hear("more ")
    assert len(client.listener.clear()) <= LISTENER_LIMIT
    client.listener.put(None)
    client.hear_all()
    assert await client.next() == (1, "more " * 3 * LISTENER_LIMIT)


async def test_what_was_said_is_told_before_the_answer_and_nothing_after(client: Client) -> None:
    client.hear("one ")
    client.listener.put(b"frames/3 answer")
    client.hear("too late")
    client.listener.put(b"frames/3 log")
    assert [await client.next() for _ in range(3)] == [(0, "one "), ANSWER, LOG]


async def test_parts_of_a_version_that_is_not_known_are_left_out(client: Client) -> None:
    client.listener.put(b'additions/9 {"request": "of the future"}')
    client.hear("one ")
    assert await client.next() == (0, "one ")


async def test_who_wants_no_parts_is_told_none(client: Client) -> None:
    delivery = Scripted(NOWHERE, UUID(int=3), UUID(int=4), 0)
    feed = Feed(delivery, client.listener, None, NOTED)
    client.hear("one ")
    client.listener.put(b"frames/3 answer")
    async with aclosing(feed.events()) as events:
        assert await anext(events) == ANSWER
    assert client.line.asked == []
