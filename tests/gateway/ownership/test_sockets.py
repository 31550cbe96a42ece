"""What the front-end's socket tells and does to everybody, for one user's session and objects."""

import json
from typing import Any

import attrs
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.routes import sockets
from gateway.web.scopes import Scope
from tests.gateway.belongings import (
    Belongings,
    insert_person,
    make_belongings,
    select_belongings,
    user_token,
)
from tests.gateway.ownership.callers import OTHERS_KEY, Caller, insert_key, make_callers, make_keys
from tests.gateway.ownership.others import insert_others
from tests.master import Master
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User

OPEN, CLOSED, REFUSED = "hears the session", "closed with 1008", "refused with 403"
HANDSHAKES = {
    "/frontend/ws": {
        "the owner": OPEN,
        "an agent of the owner": REFUSED,
        "another user": CLOSED,
        "an agent of another user": REFUSED,
        "an administrator": CLOSED,
        "a member of the owner's group": CLOSED,
        "a former member of it": CLOSED,
        "nobody": REFUSED,
        "a bad token": REFUSED,
        "an expired token": REFUSED,
        "a deleted agent of the owner": REFUSED,
        "a former token of an agent of the owner": REFUSED,
        "the service for the owner": REFUSED,
        "the service for another user": REFUSED,
        "the service for nobody": REFUSED,
        "a wrong key for the owner": REFUSED,
        "no key for the owner": REFUSED,
        "another user for the owner": CLOSED,
        "another user with the key": CLOSED,
        "a key to chat": OPEN,
        "a key to read": REFUSED,
        "a key for agents": REFUSED,
        "a key for administrators": REFUSED,
        "a key to read of another user": REFUSED,
        "a revoked key": REFUSED,
        "an expired key": REFUSED,
        "a key from a wrong network": REFUSED,
    }
}


@pytest.fixture(scope="module")
def owner(system: System, sql: Sql) -> Belongings:
    """Somebody with objects of each kind."""
    return insert_person(sql, system)


@pytest.fixture(scope="module")
def others_things(system: System, sql: Sql) -> Belongings:
    """Somebody else with objects of each kind."""
    return insert_person(sql, system)


@pytest.fixture
def other(system: System, visitor: httpx2.AsyncClient, others_things: Belongings) -> User:
    """Somebody else as a user of the front-end."""
    token = user_token(system.settings, others_things)
    return User(visitor, others_things.user_id, others_things.marker, token)


def test_every_socket_has_an_entry_and_every_entry_a_socket() -> None:
    assert {socket.path for socket in sockets} == HANDSHAKES.keys()


@pytest.mark.parametrize("path", HANDSHAKES)
async def test_everybody_is_received_as_the_table_says(
    system: System, sql: Sql, owner: Belongings, others_things: Belongings, path: str
) -> None:
    deleted = make_belongings(system.settings, owner.user_id)
    keys = {
        **make_keys(sql, owner),
        OTHERS_KEY: insert_key(sql, others_things.user_id, Scope.READ),
    }
    others = attrs.evolve(insert_others(sql, system, owner), other=others_things)
    callers = make_callers(system, keys, owner, others, deleted)
    url = f"{system.gateway.replace('http', 'ws', 1)}{path}"
    found = {who: await _knock(url, caller, owner) for who, caller in callers.items()}
    assert found == HANDSHAKES[path]


async def _knock(url: str, caller: Caller, owner: Belongings) -> str:
    """What comes of connecting to the owner's session from its beginning."""
    query = httpx2.QueryParams(
        {"session_id": owner.session_id, "after": "0", "token": caller.token or "", **caller.query}
    )
    try:
        async with connect(f"{url}?{query}", additional_headers=caller.headers) as connection:
            frame = await connection.recv()
    except InvalidStatus as refused:
        return f"refused with {refused.response.status_code}"
    except ConnectionClosed as closed:
        return f"closed with {closed.rcvd.code if closed.rcvd else None}"
    assert owner.marker in str(frame)
    return OPEN


@pytest.mark.parametrize(
    "message",
    [
        {"files": ["{file_id}"]},
        {"llm_name": "{marker}"},
        {"llm": {"llm_name": "{marker}"}},
        {"llm_name": "{own}", "provider": "{marker}"},
    ],
    ids=str,
)
async def test_a_message_that_names_what_is_anothers_fails_like_one_that_names_nothing(
    sql: Sql, master: Master, owner: Belongings, other: User, message: Json
) -> None:
    before = select_belongings(sql, owner)
    foreign = await _ask_in_vain(other, message, owner)
    assert foreign == await _ask_in_vain(other, message, Belongings())
    assert select_belongings(sql, owner) == before
    assert master.invocations == []


async def _ask_in_vain(user: User, message: Json, about: Belongings) -> Any:
    """The failure of a message, with the kind of each id in place of it."""
    text = json.dumps(message).replace("{own}", user.name)
    for name, value in attrs.asdict(about).items():
        text = text.replace(f"{{{name}}}", value)
    async with user.chat() as chat:
        frame = await chat.ask("hello", **json.loads(text))
    assert frame["response"]["is_success"] is False
    told = json.dumps([frame["error"], frame["response"]["response"]])
    for name, value in attrs.asdict(about).items():
        told = told.replace(value, f"<{name}>") if value else told
    return told


@pytest.mark.usefixtures("master")
async def test_the_frames_of_a_user_reach_no_other_user(
    system: System, visitor: httpx2.AsyncClient, owner: Belongings, other: User
) -> None:
    user = User(visitor, owner.user_id, owner.marker, user_token(system.settings, owner))
    async with user.chat() as mine, other.chat() as theirs:
        await mine.ask("a private matter")
        frame = await theirs.ask("mine")
    assert frame["seq"] == 1
    assert frame["response"]["session_id"] == theirs.session_id
    assert frame["response"]["response"]["response"] == "echo: mine"


async def test_the_master_agent_is_given_nothing_of_other_users(
    master: Master, owner: Belongings, other: User, others_things: Belongings
) -> None:
    async with other.chat() as chat:
        await chat.ask("hello")
    given = json.dumps(master.invocations[0].payload)
    assert others_things.agent_id in given
    assert others_things.marker in given
    assert [each for each in attrs.asdict(owner).values() if each in given] == []
