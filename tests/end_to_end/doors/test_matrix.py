"""Who comes to a door, as whom, and does what: what he gets, and that nobody else is hurt.

Two tables: of those who connect as somebody, and of those who call. Each claim of an identity that
a frame can carry is made in each cell: none of them changes anything.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, field

from agent_bridge.agents.registry import NOT_REGISTERED
from agent_bridge.router.frames import NOT_ACTIVE
from shared.tokens import issue_agent_token
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    log_frame,
    visiting,
)
from tests.master import answer
from tests.sql import Sql
from tests.system import BE_KEY, ML_KEY, System
from tests.users import Chat, Json, User, eventually, insert_user

ELSEWHERE = "another secret key of 32 bytes or more"
UNKNOWN: Json = {"message_type": "new"}  # answered at once, after all that was said before


class Outcome(StrEnum):
    """What becomes of who comes, or of what he does."""

    REFUSED = "closed with 4000"
    STOPPED = "told to stop"
    NOT_ACTIVE = "told that the callee is not active"
    UNEXPECTED = "told that nobody understands it"
    NOTHING = "nothing happens"
    DONE = "done"


REFUSED, STOPPED, INACTIVE, UNEXPECTED, NOTHING, DONE = Outcome


@define
class Side:
    """A user with a connected agent, and a request that the master agent works on."""

    user: User
    visitor: Visitor
    registered: Json
    chat: Chat
    request_id: str = ""

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return str(self.registered["id"])

    @property
    def ids(self) -> tuple[str, str]:
        """The request and its chat."""
        return self.request_id, self.chat.session_id

    async def logs(self) -> list[str]:
        """What is logged there."""
        query = {"request_id": self.request_id}
        logs: list[Json] = (await self.user.http.get("/api/logs/list", params=query)).json()
        return [log["message"] for log in logs]

    async def until_logged(self, message: str) -> None:
        """Wait until something stands there."""

        async def is_there() -> bool:
            return message in await self.logs()

        await eventually(is_there, f"{message} is logged")


@define
class Stage:
    """The victim, who must notice nothing; a colleague, a stranger, and the master agent."""

    system: System
    sql: Sql
    victim: Side
    colleague: Side
    stranger: Side
    master: Visitor
    absent: Json
    call_of_victim: Json = field(factory=dict)

    @property
    def actors(self) -> dict[str, tuple[Visitor, Side, Side]]:
        """Who may come in; whose chat is his own, and whose is not."""
        return {
            "the agent": (self.colleague.visitor, self.colleague, self.stranger),
            "another user's agent": (self.stranger.visitor, self.stranger, self.victim),
            "the master agent": (self.master, self.victim, self.stranger),
        }

    @property
    def claims(self) -> list[str]:
        """Whom a frame may name as its sender."""
        masters = [ML_KEY, BE_KEY, "master_server_ml", "master_server_be"]
        return [self.colleague.agent_id, self.victim.agent_id, *masters]

    async def assert_nothing_has_changed(self, logged: list[str]) -> None:
        """The victim is there as before, was told and called nothing, and chats are answered."""
        side = self.victim
        stored = await side.user.read_agent(side.agent_id)
        assert (stored["is_active"], stored["agent_name"]) == (True, "visitor")
        assert side.visitor.connection.close_code is None
        assert side.visitor.heard == [self.call_of_victim]
        assert await side.logs() == logged
        async with side.user.chat() as chat:
            frame = await chat.ask("hello")
        assert frame["response"]["response"] == answer("echo: hello")


def _echo(frame: Json) -> Json | None:
    """A master agent that works for ever on what begins with `wait`."""
    message = frame.get("request_payload", {}).get("message", "wait")
    return None if message.startswith("wait") else answer_to(frame, answer(f"echo: {message}"))


@pytest.fixture(scope="module")
async def stage(anyio_backend: str, door_system: System, sql: Sql) -> AsyncIterator[Stage]:
    """All of them through the doors of two bridges; the victim has an unanswered call."""
    system = door_system
    first, second = system.doors
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        master = await enter(visiting(second, API_KEY=ML_KEY))
        master.react = _echo
        user, other = [await enter(insert_user(system, sql)) for _ in range(2)]

        async def side(user: User, door: str) -> Side:
            visitor, registered = await enter(agent_at(door, user))
            side = Side(user, visitor, registered, await enter(user.chat()))
            begun = f"wait {uuid4()}"

            async def is_worked_on() -> bool:
                for each in master.invocations:
                    if each["request_payload"]["message"] == begun:
                        side.request_id = each["request_metadata"]["request_id"]
                return bool(side.request_id)

            await side.chat.send(begun)
            await eventually(is_worked_on, "the master agent works on it")
            return side

        victim, colleague = await side(user, first), await side(user, second)
        stranger, absent = await side(other, first), await user.register_agent()
        stage = Stage(system, sql, victim, colleague, stranger, master, absent)
        caller = await enter(
            visiting(second, x_custom_invoke_key=f"{colleague.agent_id}:{victim.agent_id}")
        )
        await caller.say(call_frame(victim.agent_id, *victim.ids, text="for the victim"))
        stage.call_of_victim = await victim.visitor.next_invocation()
        yield stage
        assert caller.heard == []  # nobody but the victim could have answered
        await victim.visitor.say(answer_to(stage.call_of_victim, "at last"))
        await eventually(lambda: _has(caller.heard), "the call is answered")
        assert caller.heard[0]["response"] == "at last"


async def _has(things: list[Any]) -> bool:
    return bool(things)


# What who is not let in shows, and how he is sent away, whatever he says.


def _nothing(_stage: Stage) -> Json:
    return {}


def _token(make: Callable[[Stage], str]) -> Callable[[Stage], Json]:
    return lambda stage: {"X_Custom_Authorization": make(stage)}


def _key(key: str) -> Callable[[Stage], Json]:
    return lambda _: {"API_KEY": key}


def _issue(stage: Stage, secret_key: str, expires_in: int | None = None) -> str:
    """A token of the victim."""
    ids = UUID(stage.victim.agent_id), UUID(stage.victim.user.id)
    return issue_agent_token(secret_key, *ids, expires_in)


def _deleted(stage: Stage) -> str:
    """The token of an agent that is no more."""
    id_, user_id = uuid4(), UUID(stage.victim.user.id)
    return issue_agent_token(stage.system.settings.secret_key, id_, user_id)


SHUT_OUT: dict[str, tuple[Callable[[Stage], Json], Outcome]] = {
    "nobody": (_nothing, REFUSED),
    "a made-up word": (_token(lambda _: "open sesame"), STOPPED),
    "the master agent's name": (_token(lambda _: "master_server_ml"), STOPPED),
    "the back-end's name": (_token(lambda _: "master_server_be"), STOPPED),
    "the master agent's key as a token": (_token(lambda _: ML_KEY), STOPPED),
    "the back-end's key as a token": (_token(lambda _: BE_KEY), STOPPED),
    "an agent's id": (_token(lambda stage: stage.victim.agent_id), STOPPED),
    "a forged token": (_token(lambda stage: _issue(stage, ELSEWHERE)), STOPPED),
    "a user's token": (_token(lambda stage: stage.victim.user.token), STOPPED),
    "a deleted agent's token": (_token(_deleted), STOPPED),
    "a replaced token": (
        _token(lambda stage: _issue(stage, stage.system.settings.secret_key)),
        STOPPED,
    ),
    "an expired token": (
        _token(lambda stage: _issue(stage, stage.system.settings.secret_key, -1)),
        STOPPED,
    ),
    "the back-end's key": (_key(BE_KEY), REFUSED),
    "nearly the master agent's key": (_key(f"{ML_KEY}x"), REFUSED),
    "a key of bytes": (_key("\N{LATIN SMALL LETTER Y WITH DIAERESIS}"), REFUSED),
}


@pytest.mark.parametrize("door", [0, 1])
@pytest.mark.parametrize("who", SHUT_OUT)
async def test_who_is_not_let_in_does_nothing(stage: Stage, who: str, door: int) -> None:
    shows, outcome = SHUT_OUT[who]
    logged = await stage.victim.logs()
    async with visiting(stage.system.doors[door], **shows(stage)) as visitor:
        for frame in _all_that_can_be_said(stage):
            await visitor.say(frame)
        code = await visitor.end()
    told = [frame["error"]["error_message"] for frame in visitor.heard]
    assert (code, told) == ((4000, []) if outcome is REFUSED else (1008, [NOT_REGISTERED]))
    await stage.assert_nothing_has_changed(logged)


def _all_that_can_be_said(stage: Stage) -> list[Json]:
    victim = stage.victim
    frames = [REGISTER, answer_to(stage.call_of_victim, "forged"), call_frame(victim.agent_id)]
    for claim in stage.claims:
        frames.append({**REGISTER, "agent_uuid": claim})
        frames.append(log_frame("forged", *victim.ids, agent_uuid=claim))
    return frames


# Who is let in, and what he does there.

WHAT_THEY_DO: dict[str, dict[str, Outcome]] = {
    "the agent": {
        "registers": DONE,
        "logs into its own chat": DONE,
        "logs into a foreign chat": NOTHING,
        "answers its own call": DONE,
        "answers a foreign call": NOTHING,
        "invokes on its own connection": UNEXPECTED,
    },
    "another user's agent": {
        "registers": DONE,
        "logs into its own chat": DONE,
        "logs into a foreign chat": NOTHING,
        "answers its own call": DONE,
        "answers a foreign call": NOTHING,
        "invokes on its own connection": UNEXPECTED,
    },
    "the master agent": {
        "registers": NOTHING,
        "logs into its own chat": DONE,
        "logs into a foreign chat": DONE,  # every chat is its own
        "answers its own call": DONE,
        "answers a foreign call": NOTHING,
        "invokes on its own connection": UNEXPECTED,
    },
}


@pytest.mark.parametrize(
    ("who", "deed", "outcome"),
    [(who, deed, outcome) for who, row in WHAT_THEY_DO.items() for deed, outcome in row.items()],
)
async def test_who_is_let_in_does_what_is_his(
    stage: Stage, who: str, deed: str, outcome: Outcome
) -> None:
    logged = await stage.victim.logs()
    visitor = stage.actors[who][0]
    visitor.heard.clear()
    done, mine = await DEEDS[deed](stage, who)
    assert done is outcome
    assert visitor.connection.close_code is None
    await stage.assert_nothing_has_changed([*logged, *mine])


type Done = tuple[Outcome, list[str]]  # and what it has rightly logged in the victim's request


async def _register(stage: Stage, who: str) -> Done:
    visitor, side, _ = stage.actors[who]
    name = f"name {uuid4()}"
    payload = {**REGISTER["request_payload"], "agent_name": name}
    for claim in stage.claims:
        named = {**payload, "agent_uuid": claim, "agent_jwt": stage.victim.registered["jwt"]}
        await visitor.say({**REGISTER, "request_payload": named, "agent_uuid": claim})
    await _until_read(visitor)
    stored = await side.user.read_agent(side.agent_id)
    return DONE if stored["agent_name"].startswith("name_") else NOTHING, []


async def _until_read(visitor: Visitor) -> list[Json]:
    """What was answered to all that was said before."""
    before = len(visitor.heard)
    await visitor.say(UNKNOWN)

    async def is_read() -> bool:
        return any(_is_unexpected(frame) for frame in visitor.heard[before:])

    await eventually(is_read, "all is read")
    return [frame for frame in visitor.heard if "error" in frame]


def _is_unexpected(frame: Json) -> bool:
    return "no known kind" in str(frame.get("error"))


async def _log_at_home(stage: Stage, who: str) -> Done:
    visitor, side, _ = stage.actors[who]
    return await _log(stage, who, visitor, side)


async def _log_abroad(stage: Stage, who: str) -> Done:
    visitor, _, foreign = stage.actors[who]
    before = await foreign.logs()
    outcome, mine = await _log(stage, who, visitor, foreign)
    if outcome is NOTHING:
        assert await foreign.logs() == before
    return outcome, mine


async def _log(stage: Stage, who: str, visitor: Visitor, side: Side) -> Done:
    """Log under each name; what follows in the own chat is stored after that."""
    texts = [f"{uuid4()}" for _ in stage.claims]
    for text, claim in zip(texts, stage.claims, strict=True):
        await visitor.say(log_frame(text, *side.ids, agent_uuid=claim))
    own, last = stage.actors[who][1], f"last {uuid4()}"
    await visitor.say(log_frame(last, *own.ids))
    await own.until_logged(last)
    stored = [log for log in await _entries(side) if log["message"] in texts]
    names = {"the agent": side.agent_id, "the master agent": "master_server_ml"}
    expected = names.get(who, side.agent_id)
    assert {log["agent_id"] for log in stored} <= {expected}
    assert len(stored) in {0, len(texts)}
    mine = [log["message"] for log in stored] if side is stage.victim else []
    mine += [last] if own is stage.victim else []
    return DONE if stored else NOTHING, mine


async def _entries(side: Side) -> list[Json]:
    query = {"request_id": side.request_id}
    logs: list[Json] = (await side.user.http.get("/api/logs/list", params=query)).json()
    return logs


async def _answer_own(stage: Stage, who: str) -> Done:
    visitor, side, _ = stage.actors[who]
    async with _own_call(stage, who, side) as heard:
        invocation = await visitor.next_invocation()
        await visitor.say(answer_to(invocation, answer("mine")))
        return DONE if "mine" in str(await heard()) else NOTHING, []


@asynccontextmanager
async def _own_call(stage: Stage, who: str, side: Side) -> AsyncIterator[Callable[[], Any]]:
    """A call that is the actor's; and how to hear what was answered."""
    if who == "the master agent":
        async with side.user.chat() as chat:
            await chat.send("wait for what is mine")
            yield chat.receive_answer
        return
    key = f"{ML_KEY}:{side.agent_id}"
    calling = asyncio.create_task(
        call(stage.system.doors[0], key, call_frame(side.agent_id, *side.ids))
    )

    async def hear() -> Json:
        return await calling

    yield hear


async def _answer_foreign(stage: Stage, who: str) -> Done:
    """Under the key that the victim sees, those that can be guessed, and the router's own."""
    visitor = stage.actors[who][0]
    victim, caller = stage.victim.agent_id, stage.colleague.agent_id
    shown = stage.call_of_victim["invoked_by"]
    guessed = [shown, shown.rpartition(":")[0], f"{caller}:{victim}", victim, *stage.claims]
    for key in guessed:
        await visitor.say(answer_to({"invoked_by": key}, "forged"))
    await _until_read(visitor)
    return NOTHING, []  # that the caller hears the victim is asserted in the end


async def _invoke(stage: Stage, who: str) -> Done:
    visitor = stage.actors[who][0]
    for callee in (stage.victim.agent_id, "master_server_ml", "master_server_be"):
        await visitor.say(call_frame(callee, *stage.victim.ids, text="from an agent's connection"))
    errors = await _until_read(visitor)
    return UNEXPECTED if len(errors) == 4 and all(map(_is_unexpected, errors)) else NOTHING, []


DEEDS = {
    "registers": _register,
    "logs into its own chat": _log_at_home,
    "logs into a foreign chat": _log_abroad,
    "answers its own call": _answer_own,
    "answers a foreign call": _answer_foreign,
    "invokes on its own connection": _invoke,
}


# Who calls whom: what a connection for calls shows is no secret, so only who is connected counts.

ABSENT = "00000000-0000-4000-8000-000000000000"
CALLERS: dict[str, Callable[[Stage], str]] = {
    "nobody": lambda _: "",
    "a made-up word": lambda _: "somebody",
    "the master agent's name": lambda _: "master_server_ml",
    "the back-end's name": lambda _: "master_server_be",
    "the back-end's key": lambda _: BE_KEY,
    "an agent that is no more": lambda _: ABSENT,
    "an agent that is not connected": lambda stage: str(stage.absent["id"]),
    "a connected agent": lambda stage: stage.victim.agent_id,
    "a foreign agent": lambda stage: stage.stranger.agent_id,
    "the master agent at a request": lambda _: ML_KEY,
    "the master agent at none": lambda _: ML_KEY,
}
CALLEES: dict[str, Callable[[Stage], str]] = {
    "an agent": lambda stage: stage.colleague.agent_id,
    "a foreign agent": lambda stage: stage.stranger.agent_id,
    "nobody": lambda _: ABSENT,
    "the master agent": lambda _: "master_server_ml",
    "the back-end": lambda _: "master_server_be",
}
ALL_REFUSED = (REFUSED, REFUSED, REFUSED, REFUSED, REFUSED)
WHO_CALLS_WHOM: dict[str, tuple[Outcome, ...]] = {
    "nobody": ALL_REFUSED,
    "a made-up word": ALL_REFUSED,
    "the master agent's name": ALL_REFUSED,
    "the back-end's name": ALL_REFUSED,
    "the back-end's key": ALL_REFUSED,
    "an agent that is no more": (INACTIVE, INACTIVE, INACTIVE, REFUSED, REFUSED),
    "an agent that is not connected": (INACTIVE, INACTIVE, INACTIVE, REFUSED, REFUSED),
    "a connected agent": (DONE, INACTIVE, INACTIVE, REFUSED, REFUSED),
    "a foreign agent": (INACTIVE, DONE, INACTIVE, REFUSED, REFUSED),
    "the master agent at a request": (DONE, INACTIVE, INACTIVE, REFUSED, REFUSED),
    "the master agent at none": (INACTIVE, INACTIVE, INACTIVE, REFUSED, REFUSED),
}


@pytest.mark.parametrize("door", [0, 1])
@pytest.mark.parametrize(
    ("caller", "callee", "outcome"),
    [
        (caller, callee, outcome)
        for caller, row in WHO_CALLS_WHOM.items()
        for callee, outcome in zip(CALLEES, row, strict=True)
    ],
)
async def test_who_calls_whom(
    stage: Stage, caller: str, callee: str, outcome: Outcome, door: int
) -> None:
    logged = await stage.victim.logs()
    called = CALLEES[callee](stage)
    callees = {each.agent_id: each.visitor for each in (stage.colleague, stage.stranger)}
    for each in callees.values():
        each.heard.clear()
        each.react = lambda frame: answer_to(frame, "called") if "invoked_by" in frame else None
    request_id, session_id = stage.victim.ids
    if caller == "the master agent at none":
        request_id = str(uuid4())
    try:
        answered = await call(
            stage.system.doors[door],
            f"{CALLERS[caller](stage)}:{called}",
            call_frame(called, request_id, session_id),
        )
    finally:
        for each in callees.values():
            each.react = lambda _: None
    assert _outcome(answered) is outcome
    heard = {id_: len(each.invocations) for id_, each in callees.items()}
    assert heard == {id_: int(outcome is DONE and id_ == called) for id_ in callees}
    await stage.assert_nothing_has_changed(logged)


def _outcome(answered: Json) -> Outcome:
    match answered:
        case {"closed": 4000}:
            return REFUSED
        case {"error": {"error_message": message}} if message == NOT_ACTIVE:
            return INACTIVE
        case {"response": "called"}:
            return DONE
    raise AssertionError(answered)
