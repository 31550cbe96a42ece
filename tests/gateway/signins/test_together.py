"""Sign-ins of several users that one statement stores, and names that one looks up."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from databases.core import Connection

from gateway.accounts.queries import select_named
from gateway.signins.queries import SIGN_INS_LIMIT, NewSignIn, insert_sign_ins
from shared.postgres.pool import connect, create_database
from tests.sql import Sql
from tests.system import System


@pytest.fixture
async def connection(system: System) -> AsyncIterator[Connection]:
    async with create_database(system.settings) as database, connect(database) as connection:
        yield connection


def insert_user(sql: Sql, *, is_locked: bool = False) -> UUID:
    id_ = uuid4()
    sql(
        "INSERT INTO users (id, username, password, locked_at) VALUES (%s, %s, '-', %s)",
        *(id_, str(id_), "2026-01-01" if is_locked else None),
    )
    return id_


def sign_in_of(user_id: UUID, address: str = "192.0.2.1") -> NewSignIn:
    lasts = timedelta(hours=1)
    return NewSignIn(uuid4(), user_id, "password", "device", address, None, lasts)


async def test_each_is_noted_as_done_by_its_own_user(connection: Connection, sql: Sql) -> None:
    new = [sign_in_of(insert_user(sql), f"192.0.2.{number}") for number in range(3)]
    assert await insert_sign_ins(connection, new) == [[], [], []]
    for each in new:
        [entry] = sql("SELECT * FROM audit WHERE object_id = %s", each.id)
        assert (entry["action"], entry["via"]) == ("sign_in.succeeded", "api")
        assert entry["actor_id"] == entry["owner_id"] == each.user_id
        assert (entry["address"], entry["details"]) == (each.address, {"method": "password"})


async def test_who_is_locked_or_gone_is_not_stored_and_the_others_are(
    connection: Connection, sql: Sql
) -> None:
    new = [sign_in_of(id_) for id_ in (insert_user(sql, is_locked=True), uuid4(), insert_user(sql))]
    assert await insert_sign_ins(connection, new) == [None, None, []]
    stored = sql("SELECT id FROM sign_ins WHERE user_id = ANY(%s)", [each.user_id for each in new])
    assert [row["id"] for row in stored] == [new[2].id]


async def test_nobody_waits_for_whose_row_is_being_changed(
    connection: Connection, sql: Sql, system: System
) -> None:
    busy, other = (sign_in_of(insert_user(sql)) for _ in range(2))
    with psycopg.connect(system.settings.database_url) as changing:
        changing.execute("SELECT FROM users WHERE id = %s FOR UPDATE", [busy.user_id])
        assert await insert_sign_ins(connection, [busy, other]) == [None, []]
    assert await insert_sign_ins(connection, [busy], waits=True) == [[]]


async def test_as_many_end_as_are_too_many(connection: Connection, sql: Sql) -> None:
    user_id = insert_user(sql)
    sql(
        """
        INSERT INTO sign_ins (id, user_id, method, device, address, used_at, expires_at)
        SELECT gen_random_uuid(), %s, 'password', '', '', now() - make_interval(mins => n),
               now() + interval '1 hour'
        FROM generate_series(1, %s) AS n
        """,
        *(user_id, SIGN_INS_LIMIT - 1),
    )
    oldest = sql("SELECT id FROM sign_ins WHERE user_id = %s ORDER BY used_at LIMIT 2", user_id)
    ended = {row["id"] for row in oldest}
    stored = await insert_sign_ins(connection, [sign_in_of(user_id) for _ in range(3)])
    assert [set(each or []) for each in stored] == [ended] * 3


async def test_names_are_found_in_their_order(connection: Connection, sql: Sql) -> None:
    ids = [insert_user(sql) for _ in range(2)]
    asked = [str(ids[1]), "nobody", str(ids[0]).upper()]
    found = [named.credentials for named in await select_named(connection, asked)]
    assert [each and each.id for each in found] == [ids[1], None, ids[0]]
