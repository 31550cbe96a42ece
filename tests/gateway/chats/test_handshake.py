"""The front-end's socket of the real gateway: who gets in, and what a bad frame does."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shared.tokens import issue_user_token
from tests.gateway.shapes import good
from tests.master import Master
from tests.system import System
from tests.users import User, eventually

NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"


def opening(user: User, query: Mapping[str, str], path: str = "") -> connect:
    url = f"{user.socket_url}{path}?{urlencode(query)}"
    return connect(url, compression=None, max_size=None, origin=None)


async def status(user: User, query: Mapping[str, str], path: str = "") -> int:
    """The status of a handshake."""
    try:
        async with opening(user, query, path):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def token(system: System, user: User, **claims: Any) -> str:
    whole = {"sub": user.id, "exp": int(time.time()) + 60, **claims}
    return jwt.encode({"alg": "HS256"}, whole, OctKey.import_key(system.settings.secret_key))


@pytest.mark.parametrize("query", [{}, {"token": ""}, {"token": "x"}, {"Token": "x"}], ids=str)
async def test_without_a_good_token_the_handshake_is_refused(
    reader: User, query: dict[str, str]
) -> None:
    assert await status(reader, query) == 403


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"sub": NOBODYS}, {"sub": 5}, {"sub": "x"}], ids=str
)
async def test_a_dead_token_is_refused(
    reader: User, system: System, claims: dict[str, Any]
) -> None:
    assert await status(reader, {"token": token(system, reader, **claims)}) == 403


async def test_a_token_with_another_key_is_refused(reader: User) -> None:
    assert await status(reader, {"token": issue_user_token("x" * 32, UUID(reader.id))}) == 403


@pytest.mark.parametrize("session_id", ["abc", "\x00", "1" * 33, "é"])
async def test_a_session_that_is_no_uuid_is_refused(reader: User, session_id: str) -> None:
    assert await status(reader, {"token": reader.token, "session_id": session_id}) == 403


@pytest.mark.parametrize(
    "session_id", [None, "", str(uuid4()), uuid4().hex.upper()], ids=["none", "empty", "id", "hex"]
)
async def test_a_good_token_is_let_in(reader: User, session_id: str | None) -> None:
    session = {} if session_id is None else {"session_id": session_id}
    assert await status(reader, {"token": reader.token, **session}) == 101


async def test_a_trailing_slash_is_let_in(reader: User) -> None:
    assert await status(reader, {"token": reader.token}, "/") == 101


async def test_another_path_is_refused(reader: User) -> None:
    assert await status(reader, {"token": reader.token}, "/other") == 403


async def test_a_front_end_of_another_origin_is_let_in(reader: User) -> None:
    url = f"{reader.socket_url}?token={reader.token}"
    async with connect(url, additional_headers={"Origin": "http://localhost:3000"}):
        pass


async def test_a_plain_request_to_the_socket_is_none(reader: User) -> None:
    assert (await reader.http.get("/frontend/ws?token=x")).status_code == 404


async def test_a_socket_that_says_nothing_makes_no_chat(user: User) -> None:
    async with user.chat():
        pass
    assert good(await user.http.get("/api/chats")) == {"chats": []}


DEEP = '{"message": ' + "[" * 400 + "]" * 400 + "}"
MALFORMED = {
    "no JSON": "hello {",
    "empty": "",
    "list": "[1]",
    "no message": "{}",
    "number": '{"message": 5}',
    "NUL": '{"message": "a\\u0000b"}',
    "file no UUID": '{"message": "x", "files": ["abc"]}',
    "binary": b'{"message": "x"}',
    "empty binary": b"",
    "binary no UTF-8": b"\xff",
    "deep": DEEP,
    "too long": json.dumps({"message": "x" * (512 * 1024 + 1)}),
    "far too long": json.dumps({"message": "x" * (1900 * 1024)}),
}


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_frame_is_told_and_the_socket_goes_on(
    user: User, frame: str | bytes
) -> None:
    async with user.chat() as chat:
        await chat.connection.send(frame)
        told = await chat.receive_text()
        assert told.startswith("Message validation failed. Details: ")
        assert json.loads(told.partition("Details: ")[2])
        assert (await chat.receive())["response"]["is_success"] is False
        answer = await chat.ask("valid")
    assert answer["response"]["response"]["response"] == "echo: valid"


async def test_a_malformed_frame_runs_nothing(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.ask("once")
        await chat.connection.send("{")
        assert (await chat.receive_text()).startswith("Message validation failed")
        assert (await chat.receive())["error"].startswith("The message was not accepted: ")
        await chat.ask("twice")
    assert [one.payload["message"] for one in master.invocations] == ["once", "twice"]


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("", "New Chat"),
        ("short", "short"),
        ("hello one two three four", "hello one two three "),
        ("😀" * 30, "😀" * 20),
    ],
)
async def test_a_chat_is_titled_by_its_first_message(user: User, message: str, title: str) -> None:
    async with user.chat() as chat:
        await chat.ask(message)
        await chat.ask("another")
    [listed] = good(await user.http.get("/api/chats"))["chats"]
    assert (listed["title"], listed["session_id"]) == (title, chat.session_id)


@pytest.mark.usefixtures("master")
async def test_without_a_session_a_new_one_is_made_and_named(user: User) -> None:
    async with opening(user, {"token": user.token}) as connection:
        await connection.send('{"message": "hi"}')
        frame = await _answer(connection)
    [listed] = good(await user.http.get("/api/chats"))["chats"]
    assert frame["response"]["session_id"] == listed["session_id"]


async def _answer(connection: ClientConnection) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(await connection.recv())
        if frame["type"] == "agent_response":
            return frame


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize(
    ("after", "expected"), [(0, ["echo: a", "echo: b"]), (1, ["echo: b"]), (2, []), (99, [])]
)
async def test_a_socket_replays_what_came_after(
    user: User, after: int, expected: list[str]
) -> None:
    async with user.chat() as chat:
        await chat.ask("a")
        await chat.ask("b")
    async with user.chat(chat.session_id, after=after) as again:
        replayed = [await again.receive_answer() for _ in expected]
    assert [frame["response"]["response"]["response"] for frame in replayed] == expected


@pytest.mark.usefixtures("master")
async def test_a_socket_without_after_is_told_nothing_old(user: User) -> None:
    async with user.chat() as chat:
        await chat.ask("old")
    async with user.chat(chat.session_id) as again:
        frame = await again.ask("new")
    assert frame["response"]["response"]["response"] == "echo: new"


@pytest.mark.usefixtures("master")
async def test_an_after_that_is_ahead_of_the_session_makes_no_socket_deaf(user: User) -> None:
    async with user.chat(after=99) as chat:
        frame = await chat.ask("hi")
    assert frame["response"]["response"]["response"] == "echo: hi"


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "٣", str(2**63)])
async def test_an_after_that_is_no_number_closes_the_socket(reader: User, after: str) -> None:
    async with opening(reader, {"token": reader.token, "after": after}) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.usefixtures("master")
async def test_every_socket_of_a_session_gets_the_answer(user: User) -> None:
    async with user.chat() as chat, user.chat(chat.session_id) as other:
        asked = await chat.ask("hi")
        assert await other.receive_answer() == asked


@pytest.mark.usefixtures("master")
async def test_a_message_whose_sender_left_is_answered_in_the_history(user: User) -> None:
    async with user.chat() as chat:
        await chat.send("bye")

    async def answered() -> bool:
        return len(await user.history(chat.session_id)) == 2

    await eventually(answered, "the answer is in the history")


@pytest.mark.usefixtures("master")
async def test_a_session_made_by_somebody_else_meanwhile_is_refused_as_an_answer(
    user: User, other_user: User
) -> None:
    async with user.chat() as chat:
        new = {"session_id": chat.session_id, "title": "mine"}
        good(await other_user.http.post("/api/chats", json=new))
        frame = await chat.ask("hi")
    assert frame["response"]["is_success"] is False
    assert frame["response"]["response"]["is_success"] is False
    assert frame["error"] == frame["response"]["response"]["response"]
