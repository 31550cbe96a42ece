"""The log of a gateway says who was refused what and from where, and none of the secrets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from devstack.processes import HOST
from gateway.web import refusals
from gateway.web.errors import AnswerErrors
from gateway.web.turns import Turns
from shared.tokens import issue_agent_token, issue_user_token
from tests.end_to_end.socket.front_end import close_code, handshake_status
from tests.sql import Sql, run_sql
from tests.system import Stores, System
from tests.users import PASSWORD, User, connect_to, eventually, insert_user

LOGIN, REGISTER = "/api/login/access-token", "/api/register"
WRONG = "wrong-Pa55word!"
MOST_FAILURES = 3

type Line = dict[str, Any]


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A gateway with low bounds, and no bridge, so that messages wait."""
    with stores.system(
        LOGIN_FAILURES_PER_NAME=str(MOST_FAILURES),
        AGENTS_PER_USER="1",
        SOCKETS_PER_USER="2",
        OPEN_REQUESTS_PER_USER="1",
    ) as system:
        system.start_gateway()
        yield system


@pytest.fixture(scope="module")
def own_sql(own_system: System) -> Iterator[Sql]:
    with run_sql(own_system.settings) as sql:
        yield sql


@pytest.fixture
async def somebody(own_system: System, own_sql: Sql) -> AsyncIterator[User]:
    async with insert_user(own_system, own_sql) as user:
        yield user


@pytest.fixture
async def stranger(own_system: System) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect_to(own_system.gateway) as http:
        yield http


def lines(system: System) -> list[Line]:
    return [json.loads(line) for line in system.log_of("gateway 1").splitlines()]


async def until_logged(
    system: System, what: str, refuse: Callable[[], Awaitable[object]], **who: str
) -> None:
    """Have something refused until the log has a line of it: of each kind one a second."""

    async def is_logged() -> bool:
        await refuse()
        wanted = {"event": what, "level": "warning", "address": HOST, **who}
        return any(wanted.items() <= line.items() for line in lines(system))

    await eventually(is_logged, f"the log says that {what}")


def assert_hidden(system: System, *secrets: str) -> None:
    """No secret is in the log, nor what a token is made of."""
    log = system.log_of("gateway 1")
    parts = [part for secret in secrets for part in [secret, *secret.split(".")]]
    assert [part for part in parts if part in log] == []


async def test_a_failed_login(own_system: System, stranger: httpx2.AsyncClient) -> None:
    names = [f"user-{uuid4()}" for _ in range(20)]
    tried = iter(names)

    async def refuse() -> None:
        form = {"username": next(tried), "password": WRONG}
        assert (await stranger.post(LOGIN, data=form)).status_code == 400
        await asyncio.sleep(0.3)

    await until_logged(own_system, refusals.LOGIN_FAILED, refuse)
    logged = [line for line in lines(own_system) if line["event"] == refusals.LOGIN_FAILED]
    assert {line["username"] for line in logged} <= {*names}
    assert_hidden(own_system, WRONG)


async def test_a_login_with_a_name_that_forges_lines(
    own_system: System, stranger: httpx2.AsyncClient
) -> None:
    name = 'x"}\n{"event": "forged"}\r\x1b[2J' + "y" * 100_000

    async def refuse() -> None:
        await stranger.post(LOGIN, data={"username": name, "password": WRONG})
        await asyncio.sleep(0.3)

    def is_that(line: Line) -> bool:
        return str(line.get("username")).startswith("x")

    async def is_logged() -> bool:
        await refuse()
        return any(map(is_that, lines(own_system)))

    await eventually(is_logged, "it is logged")
    [line, *_] = filter(is_that, lines(own_system))
    assert len(line["username"]) < 300
    assert not {"\n", "\r", "\x1b"} & {*line["username"]}
    assert not [line for line in lines(own_system) if line["event"] == "forged"]


async def test_a_login_after_too_many_that_failed(
    own_system: System, stranger: httpx2.AsyncClient
) -> None:
    form = {"username": f"user-{uuid4()}", "password": WRONG}
    for _ in range(MOST_FAILURES):
        await stranger.post(LOGIN, data=form)

    async def refuse() -> None:
        assert (await stranger.post(LOGIN, data=form)).status_code == 429

    name = form["username"]
    await until_logged(own_system, refusals.TOO_MANY_LOGINS, refuse, username=name)
    assert_hidden(own_system, WRONG)


async def test_too_many_registrations(stores: Stores) -> None:
    with stores.system(REGISTRATIONS_PER_ADDRESS="1") as system:
        system.start_gateway()
        new = {"username": f"user-{uuid4()}", "password": PASSWORD}
        async with connect_to(system.gateway) as http:
            await http.post(REGISTER, json=new)

            async def refuse() -> None:
                assert (await http.post(REGISTER, json=new)).status_code == 429

            what = refusals.TOO_MANY_REGISTRATIONS
            await until_logged(system, what, refuse, username=new["username"])
        assert_hidden(system, PASSWORD)


def expired(system: System, user: User) -> str:
    return issue_user_token(system.settings.secret_key, UUID(user.id), uuid4(), -60)


async def call_with(stranger: httpx2.AsyncClient, token: str) -> None:
    answer = await stranger.get("/api/chats", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_forged_token_names_nobody(
    own_system: System, stranger: httpx2.AsyncClient, somebody: User
) -> None:
    forged = issue_user_token("not the key of this installation" * 2, UUID(somebody.id))
    await until_logged(own_system, refusals.TOKEN, partial(call_with, stranger, forged))
    assert somebody.id not in [line.get("user_id") for line in lines(own_system)]
    assert_hidden(own_system, forged)


async def test_an_expired_token_names_its_user(
    own_system: System,
    stranger: httpx2.AsyncClient,
    somebody: User,
) -> None:
    token = expired(own_system, somebody)
    refuse = partial(call_with, stranger, token)
    await until_logged(own_system, refusals.TOKEN, refuse, user_id=somebody.id)
    assert_hidden(own_system, token)


async def test_a_token_of_an_agent_that_is_gone_names_the_agent(
    own_system: System, stranger: httpx2.AsyncClient, somebody: User
) -> None:
    agent_id = uuid4()
    token = issue_agent_token(own_system.settings.secret_key, agent_id, UUID(somebody.id))
    refuse = partial(call_with, stranger, token)
    who = {"agent_id": str(agent_id), "user_id": somebody.id}
    await until_logged(own_system, refusals.TOKEN, refuse, **who)
    assert_hidden(own_system, token)


async def test_a_token_that_is_to_be_checked(
    own_system: System,
    stranger: httpx2.AsyncClient,
    somebody: User,
) -> None:
    token = expired(own_system, somebody)

    async def refuse() -> None:
        answer = await stranger.post("/api/validate-token", json={"token": token})
        assert answer.status_code == 400

    await until_logged(own_system, refusals.TOKEN, refuse, user_id=somebody.id)
    assert_hidden(own_system, token)


async def test_a_handshake_with_an_expired_token(own_system: System, somebody: User) -> None:
    token = expired(own_system, somebody)

    async def refuse() -> None:
        assert await handshake_status(somebody, token=token) == 403

    await until_logged(own_system, refusals.TOKEN, refuse, user_id=somebody.id)
    assert_hidden(own_system, token)


async def test_a_service_with_a_wrong_key(
    own_system: System, stranger: httpx2.AsyncClient, somebody: User
) -> None:
    key = f"{uuid4()}::a-wrong-key"

    async def refuse() -> None:
        answer = await stranger.get(
            "/files",
            params={"session_id": str(uuid4()), "user_id": somebody.id},
            headers={"x-api-key": key},
        )
        assert answer.status_code == 401

    await until_logged(own_system, refusals.API_KEY, refuse)
    assert_hidden(own_system, key)


async def test_a_call_without_credentials_is_no_event(
    own_system: System, stranger: httpx2.AsyncClient
) -> None:
    before = len(lines(own_system))
    assert (await stranger.get("/api/chats")).status_code == 401
    assert len(lines(own_system)) == before


async def test_a_quota(own_system: System, somebody: User) -> None:
    await somebody.register_agent("one", "d")

    async def refuse() -> None:
        new = {"name": "two", "description": "d", "input_parameters": {}}
        answer = await somebody.http.post("/api/agents/register", json=new)
        assert answer.status_code == 400

    await until_logged(own_system, "a quota is reached: agents", refuse, user_id=somebody.id)
    assert_hidden(own_system, somebody.token)


async def test_a_socket_too_many(own_system: System, somebody: User) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(somebody.chat())

        async def refuse() -> None:
            assert (await close_code(somebody, token=somebody.token))[0] == 1013

        what = refusals.TOO_MANY_SOCKETS
        await until_logged(own_system, what, refuse, user_id=somebody.id)
    assert_hidden(own_system, somebody.token)


async def test_a_message_too_many(own_system: System, somebody: User) -> None:
    async with somebody.chat() as chat:
        await chat.send("one")

        async def refuse() -> None:
            await chat.send("private words")
            assert (await chat.receive())["type"] == "agent_response"

        what = refusals.TOO_MANY_MESSAGES
        who = {"user_id": somebody.id, "session_id": chat.session_id}
        await until_logged(own_system, what, refuse, **who)
    assert_hidden(own_system, somebody.token, "private words")


async def test_a_call_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.turns.WAITING_LIMIT", 0)
    turns, user_id, said = Turns(1, 100), uuid4(), []
    monkeypatch.setattr("gateway.web.errors.log_refusal", lambda what, _: said.append(what))

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        async with turns.turn(user_id, "any"), turns.turn(user_id, "any"):
            raise AssertionError

    async def send(_message: Any) -> None:
        """Nobody reads it."""

    async def receive() -> Any:
        raise NotImplementedError

    await AnswerErrors(app)({"type": "http"}, receive, send)
    assert said == [refusals.TOO_MANY_CALLS]
