"""Who gets a socket, and of which session."""

import time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import jwt
import pytest
from websockets.asyncio.client import connect

from tests.end_to_end.socket.front_end import ACCEPTED, close_code, handshake_status
from tests.master import Master, answer
from tests.system import System
from tests.users import Chat, User

HOUR = 3600


def _token(system: System, secret: str | None = None, **claims: Any) -> str:
    given = {"exp": int(time.time()) + HOUR, **claims}
    return jwt.encode(given, secret or system.settings.secret_key, "HS256")


async def test_a_handshake_without_a_token_is_refused(user: User) -> None:
    assert await handshake_status(user) == 403


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "ü", "x" * 4000])
async def test_a_handshake_with_a_text_that_is_no_token_is_refused(token: str, user: User) -> None:
    assert await handshake_status(user, token=token) == 403


async def test_an_expired_token_is_refused(system: System, user: User) -> None:
    token = _token(system, sub=user.id, exp=int(time.time()) - 1)
    assert await handshake_status(user, token=token) == 403


async def test_a_token_signed_with_another_key_is_refused(system: System, user: User) -> None:
    token = _token(system, "another key that is long enough!", sub=user.id)
    assert await handshake_status(user, token=token) == 403


async def test_a_token_of_a_user_that_does_not_exist_is_refused(system: System, user: User) -> None:
    assert await handshake_status(user, token=_token(system, sub=str(uuid4()))) == 403


async def test_a_token_whose_subject_is_no_uuid_is_refused(system: System, user: User) -> None:
    assert await handshake_status(user, token=_token(system, sub="me")) == 403


async def test_a_token_without_an_algorithm_is_refused(user: User) -> None:
    token = jwt.encode({"sub": user.id, "exp": int(time.time()) + HOUR}, "", "none")
    assert await handshake_status(user, token=token) == 403


@pytest.mark.parametrize("session_id", ["x", "123", "null", "undefined", "\x00"])
async def test_a_session_id_that_is_no_uuid_is_refused(session_id: str, user: User) -> None:
    assert await handshake_status(user, token=user.token, session_id=session_id) == 403


async def test_a_good_token_is_enough(user: User) -> None:
    assert await handshake_status(user, token=user.token) == ACCEPTED


async def test_an_empty_session_id_is_like_none(user: User, master: Master) -> None:
    sessions = []
    for query in ({"session_id": ""}, {}):
        url = f"{user.socket_url}?{urlencode({'token': user.token, **query})}"
        async with connect(url, compression=None) as connection:
            frame = await Chat(connection, "").ask("hello")
        sessions.append(frame["response"]["session_id"])
    assert len(set(sessions)) == 2
    assert [each.session_id for each in master.invocations] == sessions


async def test_a_session_id_in_upper_case_without_dashes_is_the_same_session(
    user: User, master: Master
) -> None:
    session_id = uuid4()
    async with user.chat(session_id.hex.upper()) as chat:
        frame = await chat.ask("hello")
    assert frame["response"]["session_id"] == str(session_id)
    assert UUID(master.invocations[0].session_id) == session_id
    assert len(await user.history(str(session_id))) == 2


@pytest.mark.usefixtures("master")
async def test_a_session_that_becomes_another_user_s_meanwhile_tells_nothing(
    user: User, other_user: User
) -> None:
    async with user.chat() as chat, other_user.chat(chat.session_id) as other:
        assert (await chat.ask("mine"))["response"]["response"] == answer("echo: mine")
        await other.send("mine too")
        first = await other.receive()
        assert first["response"]["is_success"] is False, "a frame of another user's session"
        assert "another user" in first["error"]
        assert len(await user.history(chat.session_id)) == 2


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "٣", "9" * 40, "0x1", " "])
async def test_an_after_that_is_no_number_is_accepted_then_closed(after: str, user: User) -> None:
    query = {"token": user.token, "session_id": str(uuid4()), "after": after}
    assert await close_code(user, **query) == (1008, [])


@pytest.mark.parametrize("after", ["0", "x"])
async def test_a_dead_token_is_refused_whatever_after_is(after: str, user: User) -> None:
    assert await handshake_status(user, token=f"{user.token}x", after=after) == 403


async def test_the_token_is_not_in_the_gateway_s_log(system: System, user: User) -> None:
    assert await handshake_status(user, token=user.token) == ACCEPTED
    assert user.token not in system.log_of("gateway 1")
