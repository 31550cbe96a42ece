"""What is known of API keys here: a query for the first call, and none for the next ones."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from attrs import define

from gateway.keys import known, using_queries
from gateway.keys.format import make_key
from gateway.keys.known import Keys
from gateway.keys.uses import Uses
from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller
from gateway.web.errors import TooManyRequestsError
from gateway.web.scopes import Scope
from shared.notifications.bus import Notifications
from shared.postgres.pool import connect
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from tests.gateway.noted import Notebook, open_notebook
from tests.gateway.ownership.callers import insert_key
from tests.sql import Sql, run_sql

HERE = "127.0.0.1"


@define
class Guesses:
    """Counts those keys that there are not."""

    counted: int = 0
    most: float = math.inf

    async def check(self, host: str) -> None:
        if self.counted >= self.most:
            raise TooManyRequestsError("too many", 1)

    async def count(self, host: str) -> None:
        await self.check(host)
        self.counted += 1


@define
class Desk:
    """Keys of a gateway of its own, and who counts the statements."""

    notebook: Notebook
    keys: Keys
    revocations: Revocations
    guesses: Guesses
    uses: Uses
    user_id: str

    async def find(self, key: str, host: str = HERE) -> tuple[Caller | None, int]:
        """Whose it is, and how many statements that took."""
        self.notebook.sent.clear()
        async with connect(self.notebook.database) as connection:
            caller = await self.keys.find(connection, key, host)
        await self._settle()
        return caller, len(self.notebook.sent)

    async def count(self, work: Callable[[], Awaitable[object]]) -> int:
        """How many statements that takes, done once."""
        self.notebook.sent.clear()
        await work()
        await self._settle()
        return len(self.notebook.sent)

    async def _settle(self) -> None:
        await asyncio.sleep(0)  # asyncpg notes a statement in the turn of the loop after it


@pytest.fixture(scope="module")
async def notebook(anyio_backend: str, settings: Settings) -> AsyncIterator[Notebook]:
    async with open_notebook(settings) as notebook:
        async with connect(notebook.database) as connection:  # types are looked up now
            await using_queries.select_key(connection, b"")
            nobody = {uuid4(): using_queries.Use(datetime.now(UTC), "")}
            await using_queries.update_uses(connection, nobody)
        yield notebook


@pytest.fixture
def own_sql(settings: Settings) -> Iterator[Sql]:
    with run_sql(settings) as sql:
        yield sql


@pytest.fixture
def desk(settings: Settings, notebook: Notebook, own_sql: Sql) -> Desk:
    user_id = str(uuid4())
    own_sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", user_id, user_id)
    revocations = Revocations(notebook.database, Notifications(create_redis(settings)))
    revocations._asked_at = math.inf
    guesses, uses = Guesses(), Uses(notebook.database)
    keys = Keys(notebook.database, revocations, guesses, uses)
    return Desk(notebook, keys, revocations, guesses, uses, user_id)


async def test_the_first_call_takes_a_query_and_the_others_none(desk: Desk, own_sql: Sql) -> None:
    key = insert_key(own_sql, desk.user_id, Scope.CHAT, Scope.READ)
    assert not desk.keys.knows(key)
    caller, statements = await desk.find(key)
    assert caller is not None
    assert caller.user_id == UUID(desk.user_id)
    assert caller.scopes == frozenset({Scope.CHAT, Scope.READ})
    assert statements == 1
    assert await desk.find(key) == (caller, 0)
    assert desk.keys.knows(key)


async def test_one_that_was_typed_wrong_takes_none(desk: Desk) -> None:
    assert await desk.find(make_key()[:-1] + "!") == (None, 0)
    assert desk.guesses.counted == 0


async def test_one_that_there_is_not_takes_one_and_is_counted_once(desk: Desk) -> None:
    key = make_key()
    assert [await desk.find(key) for _ in range(3)] == [(None, 1), (None, 0), (None, 0)]
    assert desk.guesses.counted == 1
    assert not desk.keys.knows(key)


async def test_an_address_with_too_many_of_them_has_none_looked_up(
    desk: Desk, own_sql: Sql
) -> None:
    known_before = insert_key(own_sql, desk.user_id, Scope.READ)
    await desk.find(known_before)
    desk.guesses.most = 1
    await desk.find(make_key())
    with pytest.raises(TooManyRequestsError):
        await desk.find(make_key())
    assert desk.notebook.sent == []
    caller, statements = await desk.find(known_before)
    assert caller is not None
    assert statements == 0


@pytest.mark.parametrize("whose", ["key", "user"])
async def test_one_is_looked_up_again_when_it_or_its_user_is_told(
    desk: Desk, own_sql: Sql, whose: str
) -> None:
    key = insert_key(own_sql, desk.user_id, Scope.READ)
    caller, _ = await desk.find(key)
    assert caller is not None
    desk.revocations._note(uuid4())
    assert await desk.find(key) == (caller, 0)
    told = {"key": caller.credential.id, "user": UUID(desk.user_id)}[whose]
    assert told is not None
    own_sql("DELETE FROM api_keys WHERE id = %s", caller.credential.id)
    assert not caller.credential.is_over()
    desk.revocations._note(told)
    assert caller.credential.is_over()
    assert await desk.find(key) == (None, 1)


async def test_what_is_told_while_one_is_looked_up_is_not_lost(
    desk: Desk, own_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = insert_key(own_sql, desk.user_id, Scope.READ)
    select_key = using_queries.select_key

    async def select_as_it_is_told(*given: object) -> object:
        found = await select_key(*given)  # type: ignore[arg-type]
        desk.revocations._note(UUID(desk.user_id))
        return found

    monkeypatch.setattr(known, "select_key", select_as_it_is_told)
    await desk.find(key)
    assert not desk.keys.knows(key)


async def test_each_call_takes_a_query_while_nobody_would_hear_of_its_end(
    desk: Desk, own_sql: Sql
) -> None:
    key = insert_key(own_sql, desk.user_id, Scope.READ)
    await desk.find(key)
    desk.revocations._asked_at = -math.inf
    assert [statements for _, statements in [await desk.find(key) for _ in range(2)]] == [1, 1]
    own_sql("DELETE FROM api_keys WHERE user_id = %s", desk.user_id)
    assert await desk.find(key) == (None, 1)
    desk.revocations._asked_at = math.inf
    assert not desk.keys.knows(key)


async def test_one_is_read_again_after_an_hour(
    desk: Desk, own_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "READ_SECONDS", -1.0)
    key = insert_key(own_sql, desk.user_id, Scope.READ)
    assert [statements for _, statements in [await desk.find(key) for _ in range(2)]] == [1, 1]


async def test_those_used_least_recently_are_forgotten(desk: Desk, own_sql: Sql) -> None:
    desk.keys._known._most = 2
    first, second, third = (insert_key(own_sql, desk.user_id, Scope.READ) for _ in range(3))
    for key in (first, second, first, third):
        await desk.find(key)
    assert [desk.keys.knows(key) for key in (first, second, third)] == [True, False, True]
    assert {len(hashes) for hashes in desk.keys._known._by_id.values()} == {1, 2}


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8:1::1", True),
        ("192.0.3.1", False),
        ("2001:db9::1", False),
        ("", False),
    ],
)
async def test_a_key_is_taken_from_its_networks_alone(
    desk: Desk, own_sql: Sql, host: str, is_in: bool
) -> None:
    networks = "{192.0.2.0/24, 2001:db8::/32}"
    key = insert_key(own_sql, desk.user_id, Scope.READ, networks=networks)
    caller, _ = await desk.find(key, host)
    assert (caller is not None) == is_in


async def test_a_key_that_is_known_expires(desk: Desk, own_sql: Sql) -> None:
    key = insert_key(own_sql, desk.user_id, Scope.READ, expires_at="1970-01-02")
    assert await desk.find(key) == (None, 1)
    assert await desk.find(key) == (None, 0)
    assert not desk.keys.knows(key)


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_only_an_administrators_key_is_one_for_administrators(
    desk: Desk, own_sql: Sql, role: str
) -> None:
    own_sql("UPDATE users SET role = %s WHERE id = %s", role, desk.user_id)
    caller, _ = await desk.find(insert_key(own_sql, desk.user_id, *Scope))
    assert caller is not None
    assert caller.scopes == frozenset(Scope) - (set() if role == "admin" else {Scope.ADMIN})


async def test_the_last_uses_of_all_are_stored_by_one_statement(desk: Desk, own_sql: Sql) -> None:
    keys = [insert_key(own_sql, desk.user_id, Scope.READ) for _ in range(3)]
    for key in (*keys, keys[0]):
        await desk.find(key, "192.0.2.1")
    await desk.find(keys[1], "192.0.2.2")
    seen = "SELECT used_address FROM api_keys WHERE user_id = %s AND used_at IS NOT NULL"
    assert own_sql(seen, desk.user_id) == []
    assert await desk.count(desk.uses.store) == 1
    found = sorted(row["used_address"] for row in own_sql(seen, desk.user_id))
    assert found == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    assert await desk.count(desk.uses.store) == 0


async def test_a_later_use_that_another_gateway_has_stored_stays(desk: Desk, own_sql: Sql) -> None:
    caller, _ = await desk.find(insert_key(own_sql, desk.user_id, Scope.READ), "192.0.2.1")
    assert caller is not None
    later = "UPDATE api_keys SET used_at = now() + interval '1 h', used_address = '' WHERE id = %s"
    own_sql(later, caller.credential.id)
    await desk.uses.store()
    [row] = own_sql("SELECT used_address FROM api_keys WHERE user_id = %s", desk.user_id)
    assert row["used_address"] == ""
