"""Whose parts are told: at the bridge that runs the request, once it is known who says them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from attrs import define, field
from databases import Database

from agent_bridge.parts import lookups
from agent_bridge.parts import parts as parts_module
from agent_bridge.parts.parts import Parts, Subject
from agent_bridge.parts.queries import Author
from agent_bridge.router.frames import LOGGED_LIMIT, MASTER_SERVER_ML, AgentLogged
from shared.notifications.bus import Listener, Notifications
from shared.notifications.channels import heard_channel, parts_channel
from shared.notifications.formats import (
    AskedParts,
    HeardPart,
    Request,
    decode_additions,
    decode_heard,
    encode_asked,
    encode_heard,
)

SESSION, OWNER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
REQUEST = Request(UUID(int=10), UUID(int=11))
HERE, THERE = UUID(int=20), UUID(int=21)
AGENT = UUID("aaaaaaaa-0000-4000-8000-000000000001")
ABSENT = UUID("aaaaaaaa-0000-4000-8000-000000000002")
FOREIGN = UUID("aaaaaaaa-0000-4000-8000-000000000003")
AUTHORS = {
    AGENT: Author(OWNER, stands=True),
    ABSENT: Author(OWNER, stands=False),
    FOREIGN: Author(STRANGER, stands=True),
}
ELSEWHERE = UUID(int=12)
PLACES = {ELSEWHERE: THERE, UUID(int=13): HERE}


@define
class Line(Notifications):
    """What is published, and what is heard."""

    listener: Listener = field(factory=Listener)
    published: list[tuple[str, bytes]] = field(factory=list)

    def publish(self, channel: str, message: bytes) -> None:
        self.published.append((channel, message))

    @asynccontextmanager
    async def subscribe(self, *_: str) -> AsyncIterator[Listener]:
        yield self.listener

    def told(self) -> dict[UUID | None, str]:
        """The texts as who follows the session has them."""
        texts: dict[UUID | None, str] = {}
        for channel, message in self.published:
            if channel != parts_channel(SESSION, OWNER):
                continue
            additions = decode_additions(message)
            assert additions is not None
            if additions.request != REQUEST:
                continue
            for each in additions.additions:
                texts[each.author] = texts.get(each.author, "")[: each.offset] + each.text
        return texts

    def passed_on(self) -> list[tuple[str, HeardPart | None]]:
        """What other bridges are told, and on which channels."""
        return [(on, decode_heard(one)) for on, one in self.published if one.startswith(b"heard/")]


@define
class Bridge:
    """Parts of a bridge, and its line."""

    parts: Parts
    line: Line

    async def say(self, text: str, agent: object = MASTER_SERVER_ML, **more: Any) -> bool:
        """Have somebody say something, and what has to be known looked up."""
        named = {"request_id": str(REQUEST.id), "session_id": str(SESSION), **more}
        logged = AgentLogged(agent_uuid=str(agent), log_level="delta", message=text, **named)
        is_kept = self.parts.put(logged)
        await settle()
        return is_kept


async def settle() -> None:
    """Let background loops do what they can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def bridge(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bridge]:
    """One at which nothing runs yet."""

    @asynccontextmanager
    async def connect(_: Database) -> AsyncIterator[None]:
        yield

    async def select_authors(_: object, ids: list[UUID]) -> dict[UUID, Author]:
        return {id_: AUTHORS[id_] for id_ in ids if id_ in AUTHORS}

    async def select_places(_: object, ids: list[UUID]) -> dict[UUID, UUID]:
        return {id_: PLACES[id_] for id_ in ids if id_ in PLACES}

    monkeypatch.setattr(lookups, "connect", connect)
    monkeypatch.setattr(parts_module, "select_authors", select_authors)
    monkeypatch.setattr(parts_module, "select_places", select_places)
    line = Line()
    parts = Parts(Database("postgresql://nowhere/none"), line, HERE)
    task = asyncio.create_task(parts.run())
    yield Bridge(parts, line)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def subject(**more: Any) -> Subject:
    return Subject(REQUEST, SESSION, OWNER, **more)


async def test_the_master_agent_s_text_is_the_answer_s_and_an_agent_s_its_own(
    bridge: Bridge,
) -> None:
    with bridge.parts.running(subject()):
        assert await bridge.say("It ")
        assert await bridge.say("I look", AGENT)
        assert await bridge.say("is")
    assert bridge.line.told() == {None: "It is", AGENT: "I look"}


async def test_of_an_agent_that_is_asked_itself_the_text_is_the_answer_s(bridge: Bridge) -> None:
    with bridge.parts.running(subject(answers=str(AGENT))):
        assert await bridge.say("It is", AGENT)
        assert not await bridge.say("not mine")
    assert bridge.line.told() == {None: "It is"}


@pytest.mark.parametrize(
    "agent",
    [
        FOREIGN,
        ABSENT,
        UUID(int=99),
        str(AGENT).upper(),
        f"{{{AGENT}}}",
        f"urn:uuid:{AGENT}",
        "",
        "master_server_be",
        "MASTER_SERVER_ML",
    ],
)
async def test_nobody_else_s_is_told(bridge: Bridge, agent: object) -> None:
    with bridge.parts.running(subject()):
        await bridge.say("I am somebody else", agent)
    assert bridge.line.published == []


async def test_who_came_through_a_door_need_not_stand(bridge: Bridge) -> None:
    with bridge.parts.running(subject()):
        await bridge.say("I am here", ABSENT, is_verified=True)
        await bridge.say("I am not yours", FOREIGN, is_verified=True)
    assert bridge.line.told() == {ABSENT: "I am here"}


@pytest.mark.parametrize(
    "request_id", ["", "no id", str(UUID(int=98)), "-" * 1_000_000 + str(ELSEWHERE)]
)
async def test_of_what_runs_nowhere_nothing_is_told(bridge: Bridge, request_id: str) -> None:
    await bridge.say("Hello?", request_id=request_id)
    assert bridge.line.published == []
    assert not bridge.parts._places._waiting


async def test_what_has_ended_is_told_no_further(bridge: Bridge) -> None:
    with bridge.parts.running(subject()):
        await bridge.say("It is")
    await bridge.say(" too late")
    await bridge.say("I too", AGENT)
    assert bridge.line.told() == {None: "It is"}
    assert bridge.parts._characters == 0


async def test_what_is_claimed_once_more_here_goes_on_when_the_first_ends(bridge: Bridge) -> None:
    first = bridge.parts.running(subject())
    first.__enter__()
    with bridge.parts.running(subject()):
        first.__exit__(None, None, None)
        assert await bridge.say("It is")
    assert not bridge.parts._running


async def test_what_runs_elsewhere_is_passed_on_to_there(bridge: Bridge) -> None:
    named = {"request_id": str(ELSEWHERE)}
    assert await bridge.say("a", **named)
    assert await bridge.say("b", AGENT, is_verified=True, **named)
    assert bridge.line.passed_on() == [
        (
            heard_channel(THERE),
            HeardPart(MASTER_SERVER_ML, str(ELSEWHERE), "a", is_verified=False),
        ),
        (heard_channel(THERE), HeardPart(str(AGENT), str(ELSEWHERE), "b", is_verified=True)),
    ]


async def test_what_is_said_to_run_here_and_does_not_is_passed_to_nobody(bridge: Bridge) -> None:
    await bridge.say("a", request_id=str(UUID(int=13)))
    assert bridge.line.published == []


async def test_what_another_bridge_has_heard_is_told_as_if_heard_here(bridge: Bridge) -> None:
    with bridge.parts.running(subject()):
        for agent, is_verified in [(MASTER_SERVER_ML, True), (AGENT, False), (ABSENT, False)]:
            heard = HeardPart(str(agent), str(REQUEST.id), "x", is_verified)
            bridge.line.listener.put(encode_heard(heard))
        await settle()
    assert bridge.line.told() == {None: "x", AGENT: "x"}
    bridge.line.listener.put(encode_heard(HeardPart(MASTER_SERVER_ML, str(REQUEST.id), "y", True)))
    await settle()
    assert bridge.line.told() == {None: "x", AGENT: "x"}, "it has ended"


@pytest.mark.parametrize(
    ("asked", "times"),
    [
        (encode_asked(AskedParts(SESSION, OWNER)), 2),
        (None, 2),
        (encode_asked(AskedParts(SESSION, STRANGER)), 1),
        (encode_asked(AskedParts(UUID(int=97), OWNER)), 1),
        (b"asked/9 something newer", 1),
        (b"nonsense", 1),
    ],
)
async def test_who_follows_the_session_is_told_all_so_far(
    bridge: Bridge, asked: bytes | None, times: int
) -> None:
    with bridge.parts.running(subject()):
        await bridge.say("It is")
        bridge.line.listener.put(asked)
        await settle()
    assert len(bridge.line.published) == times
    assert bridge.line.told() == {None: "It is"}


async def test_a_part_that_may_have_been_cut_is_the_last(bridge: Bridge) -> None:
    with bridge.parts.running(subject()):
        assert await bridge.say("x" * LOGGED_LIMIT)
        assert not await bridge.say("what follows")
    assert bridge.line.told() == {None: "x" * LOGGED_LIMIT}


async def test_all_texts_of_a_bridge_are_bounded(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_module, "CHARACTERS_LIMIT", 10)
    other = Subject(Request(UUID(int=14)), SESSION, OWNER)
    with bridge.parts.running(subject()):
        with bridge.parts.running(other):
            assert await bridge.say("12345678", request_id=str(other.request.id))
            assert await bridge.say("ab")
            assert not await bridge.say("c")
        assert not await bridge.say("d"), "something is missing before it"
        await bridge.say("has room", AGENT)
    assert bridge.line.told()[AGENT] == "has room"
    assert bridge.parts._characters == 0
