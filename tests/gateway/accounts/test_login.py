"""Login through the real gateway, with hashes of ours and of the original."""

from typing import Any
from unicodedata import normalize
from uuid import uuid4

import bcrypt
import httpx2
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.accounts.queries import Credentials, select_named, update_password
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from shared.tokens import read_token
from tests.gateway.accounts.test_accounts import LOGIN, REGISTER, new_user
from tests.gateway.shapes import TOKENS, assert_shape, denied, faults, good
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, register_user

WRONG = "Incorrect username or password"


@pytest.mark.parametrize("as_multipart", [False, True], ids=["urlencoded", "multipart"])
async def test_a_login_gives_a_token(
    reader: User, visitor: httpx2.AsyncClient, system: System, *, as_multipart: bool
) -> None:
    form = {"username": reader.name, "password": PASSWORD}
    parts = {name: (None, text) for name, text in form.items()}
    answer = await visitor.post(LOGIN, **({"files": parts} if as_multipart else {"data": form}))
    tokens = good(answer)
    assert tokens.keys() == TOKENS
    assert (tokens["refresh_token"], tokens["token_type"]) == (None, "Bearer")
    claims = read_token(system.settings.secret_key, tokens["access_token"])
    assert claims is not None
    assert str(claims.user_id) == reader.id


@pytest.mark.parametrize("grant_type", ["password", "client", ""])
async def test_the_other_fields_of_the_form_are_ignored(
    reader: User, visitor: httpx2.AsyncClient, grant_type: str
) -> None:
    others = {"scope": "s", "client_id": "c", "client_secret": "x", "grant_type": grant_type}
    form = {"username": reader.name, "password": PASSWORD, **others}
    good(await visitor.post(LOGIN, data=form))


@pytest.mark.parametrize("password", ["Wrong0rd!", "", f"{PASSWORD} ", PASSWORD.upper()])
async def test_a_wrong_password_is_told(
    reader: User, visitor: httpx2.AsyncClient, password: str
) -> None:
    form = {"username": reader.name, "password": password}
    assert denied(await visitor.post(LOGIN, data=form)) == WRONG


@pytest.mark.parametrize("name", ["nobody", "", " ", "\u200b", "x" * 5000])
async def test_an_unknown_name_is_told_like_a_wrong_password(
    visitor: httpx2.AsyncClient, name: str
) -> None:
    form = {"username": name, "password": PASSWORD}
    assert denied(await visitor.post(LOGIN, data=form)) == WRONG


@pytest.mark.parametrize(
    ("sent", "places"),
    [
        ({"data": {"username": "a"}}, [["body", "password"]]),
        ({"json": new_user()}, [["body", "username"], ["body", "password"]]),
        ({}, [["body", "username"], ["body", "password"]]),
    ],
    ids=["no password", "JSON", "nothing"],
)
async def test_a_malformed_login_names_every_fault(
    visitor: httpx2.AsyncClient, sent: dict[str, Any], places: list[Any]
) -> None:
    assert [loc for _, loc in faults(await visitor.post(LOGIN, **sent))] == places


@pytest.mark.parametrize("field", ["username", "password"])
async def test_a_nul_in_a_login_is_one_sentence(visitor: httpx2.AsyncClient, field: str) -> None:
    answer = await visitor.post(LOGIN, data={**new_user(), field: "a\x00"})
    assert field in denied(answer, "invalid_request")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=b" for _ in range(100))),
        ("application/x-www-form-urlencoded", b"username=%FF&password=%ZZ"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"username=a&password=b"),
    ],
    ids=["no boundary", "no parts", "no name", "many fields", "no UTF-8", "odd charset"],
)
async def test_a_broken_form_is_the_senders_fault(
    visitor: httpx2.AsyncClient, kind: str, content: bytes
) -> None:
    answer = await visitor.post(LOGIN, content=content, headers={"Content-Type": kind})
    assert answer.status_code in {400, 422}, answer.text


async def test_a_password_counts_beyond_its_72nd_byte(visitor: httpx2.AsyncClient) -> None:
    new = new_user(password="Aa1!" * 18 + "right")
    good(await visitor.post(REGISTER, json=new))
    good(await visitor.post(LOGIN, data=new))
    wrong = {**new, "password": "Aa1!" * 18 + "wrong"}
    assert denied(await visitor.post(LOGIN, data=wrong)) == WRONG


def store_bcrypt(sql: Sql, user_id: str, password: str) -> str:
    """Give a user a hash as the original stores it, and return it."""
    stored = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    sql("UPDATE users SET password = %s WHERE id = %s", stored, user_id)
    return stored


def stored_hash(sql: Sql, user_id: str) -> str:
    [row] = sql("SELECT password FROM users WHERE id = %s", user_id)
    return str(row["password"])


async def test_the_first_login_with_a_hash_of_the_original_stores_argon2id(
    visitor: httpx2.AsyncClient, user: User, sql: Sql
) -> None:
    long = PASSWORD + "x" * 80
    store_bcrypt(sql, user.id, long)
    assert_shape(
        good(await visitor.post(LOGIN, data={"username": user.name, "password": long})), TOKENS
    )
    assert stored_hash(sql, user.id).startswith("$argon2id$")
    assert_shape(
        good(await visitor.post(LOGIN, data={"username": user.name, "password": long})), TOKENS
    )
    cut = {"username": user.name, "password": long[:72]}
    assert denied(await visitor.post(LOGIN, data=cut)) == WRONG


async def test_a_login_with_a_hash_of_what_was_typed_stores_one_of_its_normal_form(
    visitor: httpx2.AsyncClient, user: User, sql: Sql
) -> None:
    typed, other = (normalize(form, f"{PASSWORD}é") for form in ("NFD", "NFC"))
    old = Argon2id(salt=b"s" * 16, length=32, iterations=2, lanes=1, memory_cost=64)
    stored = old.derive_phc_encoded(typed.encode())
    sql("UPDATE users SET password = %s WHERE id = %s", stored, user.id)
    assert denied(await visitor.post(LOGIN, data=form_of(user, other))) == WRONG
    good(await visitor.post(LOGIN, data=form_of(user, typed)))
    good(await visitor.post(LOGIN, data=form_of(user, other)))


def form_of(user: User, password: str) -> dict[str, str]:
    return {"username": user.name, "password": password}


async def test_a_failed_login_leaves_the_hash_of_the_original(
    visitor: httpx2.AsyncClient, user: User, sql: Sql
) -> None:
    stored = store_bcrypt(sql, user.id, PASSWORD)
    wrong = {"username": user.name, "password": "wrong"}
    assert denied(await visitor.post(LOGIN, data=wrong)) == WRONG
    assert stored_hash(sql, user.id) == stored


async def test_a_password_changed_during_a_login_is_not_overwritten(
    settings: Settings,
) -> None:
    id_ = uuid4()
    async with create_database(settings) as database, connect(database) as connection:
        values = {"id": id_, "name": str(id_), "password": "changed"}
        await connection.execute(
            "INSERT INTO users (id, username, password) VALUES (:id, :name, :password)", values
        )
        await update_password(connection, Credentials(id_, "$2b$old"), "$argon2id$new", "{}")
        [named] = await select_named(connection, [str(id_)])
    assert named.credentials == Credentials(id_, "changed")


async def test_a_password_stays_good_however_old_it_is(
    visitor: httpx2.AsyncClient, system: System, sql: Sql
) -> None:
    async with register_user(system.gateway) as user:
        sql(
            "UPDATE users SET created_at = '2000-01-01', updated_at = '2000-01-01' WHERE id = %s",
            user.id,
        )
        login = {"username": user.name, "password": PASSWORD}
        assert_shape(good(await visitor.post(LOGIN, data=login)), TOKENS)
