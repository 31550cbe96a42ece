"""Sign-ins through the real gateway: how they begin, go on and end."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from websockets.asyncio.client import connect

from gateway.signins.queries import SIGN_INS_LIMIT
from gateway.signins.refresh import PREFIX, make_refresh_token
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, eventually, register_user

LOGIN, SIGN_INS, LOGOUT = "/api/login/access-token", "/api/sessions/sign-ins", "/api/logout"
DEAD = "Token is not valid or expired. Please log in again"
OVER = "The refresh token was used before, or its sign-in has ended"


@pytest.fixture(scope="module")
async def person(system: System) -> AsyncIterator[User]:
    """Somebody with a password, whose first sign-in stays."""
    async with register_user(system.gateway) as user:
        yield user


async def log_in(person: User, **form: str) -> dict[str, Any]:
    """What a login gives."""
    credentials = {"username": person.name, "password": PASSWORD, **form}
    given: dict[str, Any] = good(await person.http.post(LOGIN, data=credentials))
    return given


async def log_in_offline(person: User) -> dict[str, Any]:
    """The same with a refresh token."""
    return await log_in(person, scope="openid offline_access")


async def refresh(person: User, token: str) -> httpx2.Response:
    """Have a refresh token taken."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await person.http.post(LOGIN, data=form)


async def status(person: User, token: str) -> int:
    """How a call with another token of a user's is answered."""
    answer = await person.http.get("/api/agents", headers=bearer(token))
    return answer.status_code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def reason(answer: httpx2.Response) -> str:
    """The sentence of an `invalid_grant`."""
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_grant"
    return str(answer.json()["detail"])


async def sign_ins(person: User, token: str | None = None) -> list[dict[str, Any]]:
    headers = {} if token is None else bearer(token)
    told = good(await person.http.get(SIGN_INS, headers=headers))
    return list(told["sign_ins"])


async def test_a_login_makes_a_sign_in(person: User) -> None:
    credentials = {"username": person.name, "password": PASSWORD}
    answer = await person.http.post(LOGIN, data=credentials, headers={"User-Agent": "a telephone"})
    [current] = [
        each for each in await sign_ins(person, good(answer)["access_token"]) if each["is_current"]
    ]
    assert current["device"] == "a telephone"
    assert (current["method"], current["address"]) == ("password", "127.0.0.1")


async def test_who_does_not_ask_for_it_gets_no_refresh_token(person: User) -> None:
    given = await log_in(person, scope="profile", grant_type="password")
    assert given.keys() == {"access_token", "refresh_token", "token_type"}
    assert given["refresh_token"] is None


async def test_a_refresh_token_gives_new_tokens_once(person: User) -> None:
    first = await log_in_offline(person)
    assert first["refresh_token"].startswith(PREFIX)
    assert first["expires_in"] == 900
    second = good(await refresh(person, first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert await status(person, second["access_token"]) == 200
    third = good(await refresh(person, second["refresh_token"]))
    assert await status(person, third["access_token"]) == 200


async def test_a_refresh_token_that_comes_again_ends_its_sign_in(person: User) -> None:
    first = await log_in_offline(person)
    second = good(await refresh(person, first["refresh_token"]))
    assert reason(await refresh(person, first["refresh_token"])) == OVER
    assert reason(await refresh(person, second["refresh_token"])) == OVER
    for token in (first["access_token"], second["access_token"]):
        assert await status(person, token) == 401
    assert await status(person, person.token) == 200


@pytest.mark.parametrize(
    "token", ["", "x", PREFIX, f"{PREFIX}é", f"{PREFIX}{'A' * 86}", f"{PREFIX}{'A' * 5000}"]
)
async def test_what_is_no_refresh_token_is_refused(person: User, token: str) -> None:
    assert reason(await refresh(person, token)) == "The refresh token is not valid"


async def test_a_refresh_token_of_another_key_ends_nothing(person: User) -> None:
    given = await log_in_offline(person)
    [current] = [e for e in await sign_ins(person, given["access_token"]) if e["is_current"]]
    forged = make_refresh_token("not the key of this installation", UUID(current["id"]))
    assert reason(await refresh(person, forged)) == "The refresh token is not valid"
    assert good(await refresh(person, given["refresh_token"]))


async def test_logging_out_ends_the_token_and_its_refresh_token(person: User) -> None:
    given = await log_in_offline(person)
    answer = await person.http.post(LOGOUT, headers=bearer(given["access_token"]))
    assert answer.status_code == 204, answer.text
    again = await person.http.get("/api/agents", headers=bearer(given["access_token"]))
    assert (again.status_code, again.json()) == (401, {"detail": DEAD})
    assert reason(await refresh(person, given["refresh_token"])) == OVER
    assert (
        refused(
            await person.http.post("/api/validate-token", json={"token": given["access_token"]})
        )
        == "Token is not valid or expired"
    )
    assert await status(person, person.token) == 200


async def test_one_sign_in_is_ended_by_another(person: User) -> None:
    given = await log_in(person)
    [current] = [e for e in await sign_ins(person, given["access_token"]) if e["is_current"]]
    path = f"{SIGN_INS}/{current['id']}"
    assert (await person.http.delete(path)).status_code == 204
    assert await status(person, given["access_token"]) == 401
    assert refused(await person.http.delete(path)) == (
        f"You have no sign-in with id '{current['id']}'"
    )


async def test_everywhere_else(system: System) -> None:
    async with register_user(system.gateway) as user:
        others = [(await log_in(user))["access_token"] for _ in range(2)]
        assert good(await user.http.delete(SIGN_INS)) == {"ended": 2}
        assert [await status(user, each) for each in others] == [401, 401]
        assert [each["is_current"] for each in await sign_ins(user)] == [True]


async def test_a_locked_user_is_out_and_stays_out(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user:
        given = await log_in_offline(user)
        sql("UPDATE users SET locked_at = now() WHERE id = %s", user.id)

        async def is_out() -> bool:
            return await status(user, user.token) == 401

        await eventually(is_out, "the gateway has asked what was revoked")
        credentials = {"username": user.name, "password": PASSWORD}
        locked = "This account is locked. Please ask an administrator"
        assert reason(await user.http.post(LOGIN, data=credentials)) == locked
        assert reason(await refresh(user, given["refresh_token"])) == OVER
        sql("UPDATE users SET locked_at = NULL WHERE id = %s", user.id)
        assert await status(user, user.token) == 401
        assert await status(user, (await log_in(user))["access_token"]) == 200


async def test_a_user_who_is_deleted_by_hand_is_out(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user:
        sql("DELETE FROM users WHERE id = %s", user.id)

        async def is_out() -> bool:
            return await status(user, user.token) == 401

        await eventually(is_out, "the gateway has asked what was revoked")


async def test_one_sign_in_too_many_ends_the_one_used_least_recently(
    system: System, sql: Sql
) -> None:
    ids = [str(uuid4()) for _ in range(SIGN_INS_LIMIT)]
    async with register_user(system.gateway) as user:
        sql(
            """
            INSERT INTO sign_ins (id, user_id, method, device, address, used_at, expires_at)
            SELECT id, %s, 'password', '', '', now() - place * interval '1 minute', 'infinity'
            FROM unnest(CAST(%s AS uuid[])) WITH ORDINALITY AS one (id, place)
            """,
            *(user.id, ids),
        )
        assert len(await sign_ins(user)) == SIGN_INS_LIMIT + 1
        await log_in(user)
        left = {each["id"] for each in await sign_ins(user)}
    assert len(left) == SIGN_INS_LIMIT
    assert set(ids) - left == set(ids[-2:])


async def test_a_socket_is_closed_with_its_sign_in_and_no_other(person: User) -> None:
    given = await log_in(person)
    async with (
        connect(f"{person.socket_url}?token={given['access_token']}", origin=None) as socket,
        connect(f"{person.socket_url}?token={person.token}", origin=None) as other,
    ):
        await person.http.post(LOGOUT, headers=bearer(given["access_token"]))
        await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (3000, "signed out")
        await (await other.ping())


async def test_a_stream_is_closed_with_its_sign_in(person: User) -> None:
    given = await log_in(person)
    session_id = uuid4()
    path = f"/api/sessions/{session_id}/events"
    async with person.http.stream("GET", path, headers=bearer(given["access_token"])) as stream:
        assert stream.status_code == 200
        await person.http.post(LOGOUT, headers=bearer(given["access_token"]))
        assert [line async for line in stream.aiter_lines() if line.startswith("data")] == []
