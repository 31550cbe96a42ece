"""Registration, the check of a token and crowds of both, through the real gateway."""

import asyncio
import string
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest
from starlette.requests import Request

from gateway.accounts.attempts import Attempts
from gateway.accounts.passwords import ITERATIONS, LANES, MEMORY_KIB, WAITING_ROOM, Passwords
from gateway.accounts.queries import select_named
from gateway.accounts.routes import create_access_token, create_user
from gateway.accounts.schemas import Login, NewUser
from gateway.state import State
from gateway.web.call import Call
from gateway.web.errors import UnavailableError
from gateway.web.inputs import Nothing
from shared.postgres.pool import create_database
from shared.process.together import together
from shared.settings.installation import Settings
from shared.tokens import issue_user_token
from tests.gateway.shapes import REGISTERED_USER, assert_shape, faults, good, refused, told
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User

REGISTER, LOGIN, VALIDATE = "/api/register", "/api/login/access-token", "/api/validate-token"
NO_REQUEST = Request({"type": "http"})


def new_user(**others: Any) -> dict[str, Any]:
    return {"username": f"user-{uuid4()}", "password": PASSWORD, **others}


async def test_registration_answers_with_the_user_and_no_password(
    visitor: httpx2.AsyncClient,
) -> None:
    new = new_user()
    user = good(await visitor.post(REGISTER, json=new))
    assert_shape(user, REGISTERED_USER)
    assert user["username"] == new["username"]


async def test_a_password_is_stored_as_argon2id(visitor: httpx2.AsyncClient, sql: Sql) -> None:
    user = good(await visitor.post(REGISTER, json=new_user()))
    [row] = sql("SELECT password FROM users WHERE id = %s", user["id"])
    parameters = f"m={MEMORY_KIB},t={ITERATIONS},p={LANES}"
    assert row["password"].startswith(f"$argon2id$v=19${parameters}$")


async def test_a_new_user_belongs_to_a_default_project(
    visitor: httpx2.AsyncClient, sql: Sql
) -> None:
    user = good(await visitor.post(REGISTER, json=new_user()))
    rows = sql(
        """
        SELECT name FROM projects JOIN user_project_associations ON project_id = projects.id
        WHERE user_id = %s
        """,
        user["id"],
    )
    assert rows == [{"name": "Default"}]


async def test_a_new_user_has_an_empty_profile(visitor: httpx2.AsyncClient, sql: Sql) -> None:
    user = good(await visitor.post(REGISTER, json=new_user()))
    rows = sql("SELECT first_name, last_name FROM userprofiles WHERE user_id = %s", user["id"])
    assert rows == [{"first_name": None, "last_name": None}]


async def test_a_name_is_taken_only_once(visitor: httpx2.AsyncClient) -> None:
    new = new_user()
    good(await visitor.post(REGISTER, json=new))
    answer = await visitor.post(REGISTER, json=new)
    assert refused(answer) == f"User '{new['username']}' already exists"


async def test_a_name_is_taken_only_once_by_those_who_come_together(
    visitor: httpx2.AsyncClient,
) -> None:
    new = new_user()
    answers = await asyncio.gather(*(visitor.post(REGISTER, json=new) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"id": "x"}], ids=repr)
async def test_unknown_keys_of_a_registration_are_ignored(
    visitor: httpx2.AsyncClient, extra: dict[str, str]
) -> None:
    assert_shape(good(await visitor.post(REGISTER, json=new_user(**extra))), REGISTERED_USER)


async def test_a_name_need_not_be_ascii(visitor: httpx2.AsyncClient) -> None:
    new = new_user(username=f"Žluťoučký 用户 😀 {uuid4()}")
    assert good(await visitor.post(REGISTER, json=new))["username"] == new["username"]
    assert good(await visitor.post(LOGIN, data=new))["access_token"]


@pytest.mark.parametrize(
    "special", string.punctuation, ids=[f"U+{ord(c):04X}" for c in string.punctuation]
)
async def test_any_ascii_punctuation_is_a_special_character(
    reader: User, visitor: httpx2.AsyncClient, special: str
) -> None:
    # The name is taken: a good password gets as far as that, without one more user.
    new = {"username": reader.name, "password": f"Passw0rd{special}"}
    assert refused(await visitor.post(REGISTER, json=new))


@pytest.mark.parametrize(
    "password",
    ["Pass1!a", "passw0rd!", "PASSW0RD!", "Password!", "Passw0rdd", "Passw0rdé", "Passw0r d"],
    ids=["short", "no upper", "no lower", "no digit", "no special", "letter", "blank"],
)
async def test_a_weak_password_is_a_fault(visitor: httpx2.AsyncClient, password: str) -> None:
    answer = await visitor.post(REGISTER, json=new_user(password=password))
    assert [loc for _, loc in faults(answer)] == [["body", "password"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("missing", ["body", "password"]), ("missing", ["body", "username"])]),
        ({"username": "a"}, [("missing", ["body", "password"])]),
        ([1], [("model_attributes_type", ["body"])]),
        ("text", [("model_attributes_type", ["body"])]),
    ],
    ids=["empty", "one missing", "list", "text"],
)
async def test_a_malformed_registration_names_every_fault(
    visitor: httpx2.AsyncClient, body: object, expected: list[Any]
) -> None:
    assert faults(await visitor.post(REGISTER, json=body)) == expected


async def test_no_body_at_all_is_a_missing_one(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post(REGISTER)
    assert faults(answer) == [("missing", ["body"])]


async def test_a_body_that_is_no_json_says_where(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post(REGISTER, content=b'{"username": "a",')
    assert faults(answer) == [("json_invalid", ["body", 17])]


@pytest.mark.parametrize("content", [b"\xff\xfe", b'"\\ud800"', b"NaN", b"[" * 100_000])
async def test_a_body_that_is_no_good_json_is_a_fault(
    visitor: httpx2.AsyncClient, content: bytes
) -> None:
    assert faults(await visitor.post(REGISTER, content=content))


@pytest.mark.parametrize("depth", [100, 300, 900])
async def test_a_deep_body_is_refused(visitor: httpx2.AsyncClient, depth: int) -> None:
    content = f'{{"username": {"[" * depth}{"]" * depth}, "password": "{PASSWORD}"}}'
    answer = await visitor.post(REGISTER, content=content.encode())
    told(answer, "username")


async def test_json_needs_no_content_type(visitor: httpx2.AsyncClient) -> None:
    content = f'{{"username": "user-{uuid4()}", "password": "{PASSWORD}"}}'
    good(await visitor.post(REGISTER, content=content.encode()))


async def test_a_form_is_no_json(visitor: httpx2.AsyncClient) -> None:
    assert faults(await visitor.post(REGISTER, data=new_user()))


async def test_a_good_token_is_valid(reader: User, visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post(VALIDATE, json={"token": reader.token})
    assert good(answer) == {"detail": "Token is valid"}


async def test_an_agents_token_is_valid(user: User, visitor: httpx2.AsyncClient) -> None:
    agent = await user.register_agent()
    answer = await visitor.post(VALIDATE, json={"token": agent["jwt"]})
    assert good(answer) == {"detail": "Token is valid"}


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "é", "a" * 100_000])
async def test_another_token_is_not_valid(visitor: httpx2.AsyncClient, token: str) -> None:
    assert refused(await visitor.post(VALIDATE, json={"token": token}))


async def test_the_token_of_a_user_who_is_gone_is_not_valid(
    visitor: httpx2.AsyncClient, system: System
) -> None:
    token = issue_user_token(system.settings.secret_key, uuid4())
    assert refused(await visitor.post(VALIDATE, json={"token": token}))


@pytest.mark.parametrize("token", [5, None, "\x00"], ids=repr)
async def test_a_token_is_a_text(visitor: httpx2.AsyncClient, token: object) -> None:
    told(await visitor.post(VALIDATE, json={"token": token}), "token")


@pytest.fixture
async def crowded(settings: Settings) -> AsyncIterator[State]:
    """The state of a gateway whose waiting room for passwords is full."""
    passwords, attempts = Passwords(), Attempts(settings)
    passwords._waiting = WAITING_ROOM
    async with create_database(settings) as database:
        yield cast(
            "State",
            {
                "settings": settings,
                "database": database,
                "named": together(database, select_named),
                "passwords": passwords,
                "attempts": attempts,
            },
        )
    await attempts.close()
    passwords.close()


async def test_a_login_in_a_crowd_is_told_to_try_again(crowded: State) -> None:
    with pytest.raises(UnavailableError, match="try again") as caught:
        await create_access_token(Call(Login("a", "b"), Nothing(), None, crowded, NO_REQUEST))
    assert int(caught.value.headers["Retry-After"]) > 0


async def test_a_registration_in_a_crowd_is_told_to_try_again(crowded: State) -> None:
    with pytest.raises(UnavailableError, match="try again"):
        await create_user(Call(NewUser(PASSWORD, "a"), Nothing(), None, crowded, NO_REQUEST))
