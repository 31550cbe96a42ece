"""Who is near which bound, and the keys that secrets are stored with."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from uuid import uuid4

import pytest

from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.gateway.admin.commands import Admin
from tests.sql import Sql, run_sql
from tests.system import Stores
from tests.users import User


@pytest.fixture(scope="module")
def alone(stores: Stores) -> Iterator[Admin]:
    """The command where no service runs."""
    with stores.environment() as environment:
        yield Admin({**environment, **stores.of_services})


@pytest.fixture(scope="module")
def rows(alone: Admin) -> Iterator[Sql]:
    with run_sql(read_settings(alone.variables, Settings)) as sql:
        yield sql


def insert_user(rows: Sql, agents: int) -> str:
    """A user with so many agents."""
    id_ = str(uuid4())
    rows("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", id_, id_)
    rows(
        "INSERT INTO agents"
        " (id, creator_id, name, alias, description, input_parameters, jwt, is_active)"
        " SELECT gen_random_uuid(), %s, 'n', md5(%s || n), '', '{}', md5(%s || n), false"
        " FROM generate_series(1, %s) AS n",
        *(id_, id_, id_, agents),
    )
    return id_


def test_who_is_near_a_bound_is_listed_the_nearest_first(alone: Admin, rows: Sql) -> None:
    eight, _, ten, nine = (insert_user(rows, number) for number in (8, 7, 10, 9))
    bounds = {"AGENTS_PER_USER": "10", "FILES_BYTES_PER_USER": "0"}
    near = alone.asked("quotas", "list", **bounds)
    assert [(each["username"], each["used"], each["percent"]) for each in near] == [
        *((ten, 10, 100.0), (nine, 9, 90.0), (eight, 8, 80.0)),
    ]
    assert {(each["what"], each["most"]) for each in near} == {("agents", 10)}
    part = alone("quotas", "list", "--limit", "1", "--offset", "1", "--json", **bounds)
    assert [each["username"] for each in part.lines] == [nine]
    assert part.err == "There are more: --offset 2\n"
    full = alone.asked("quotas", "list", "--percent", "100", **bounds)
    assert [each["username"] for each in full] == [ten]
    uses = {each["what"]: each for each in alone.asked("quotas", "show", nine, **bounds)}
    assert uses["agents"] == {"what": "agents", "used": 9, "most": 10, "percent": 90.0}
    assert (uses["bytes of files"]["most"], uses["bytes of files"]["percent"]) == (None, None)


async def test_what_counts_is_what_the_gateway_refuses_by(admin: Admin, user: User) -> None:
    """Each quota's own statement is run for all users at once."""
    all_ = ("quotas", "list", "--percent", "0", "--limit", "1000", "--json", "--offset")
    pages = [await admin.soon(*all_, "0")]
    while pages[-1].err:  # there are more
        pages.append(await admin.soon(*all_, str(1000 * len(pages))))
    uses = await admin.soon("quotas", "show", user.id, "--json")
    listed = [each for page in pages for each in page.lines if each["user_id"] == user.id]
    own = {each["what"]: each["used"] for each in listed}
    assert own == {each["what"]: each["used"] for each in uses.lines if each["used"]}
    assert own == {"model providers": 1, "model configs": 1}


def test_a_budget_of_his_own_stands_in_place_of_that_of_all(alone: Admin, rows: Sql) -> None:
    spender, saver = insert_user(rows, 0), insert_user(rows, 0)
    rows(
        "INSERT INTO usage_days (user_id, day, model, requests, input_tokens, cached_tokens,"
        " output_tokens, price, unpriced_requests)"
        " SELECT %s, CAST(timezone('utc', now()) AS date), 'm', 1, 1, 0, 1, 9.5, 0",
        spender,
    )
    of_all = {"MONTHLY_BUDGET": "100"}
    [shown] = alone.asked("budgets", "show", spender, **of_all)
    assert (shown["spent"], shown["monthly"], shown["percent"]) == (9.5, 100.0, 9.5)
    [own] = alone.asked("budgets", "set", spender, "10", "--yes", **of_all)
    assert (own["monthly"], own["percent"], own["is_own"]) == (10.0, 95.0, True)
    [free] = alone.asked("budgets", "set", saver, "0", "--yes", **of_all)
    assert (free["monthly"], free["percent"], free["is_own"]) == (None, None, True)
    listed = alone.asked("budgets", "list", **of_all)
    assert [each["username"] for each in listed] == [spender, saver]
    near = alone.asked("budgets", "list", "--percent", "95", **of_all)
    assert [each["username"] for each in near] == [spender]
    assert alone.asked("budgets", "clear", spender, "--yes", **of_all) == [shown]
    wrong = alone("budgets", "set", spender, "much", "--yes")
    assert (wrong.code, wrong.out) == (2, "")


def test_a_group_has_a_budget_too(alone: Admin, rows: Sql) -> None:
    [group] = rows("INSERT INTO groups (id, name) VALUES (gen_random_uuid(), 'team') RETURNING id")
    id_ = str(group["id"])
    [given] = alone.asked("budgets", "set-group", id_, "100", "--yes")
    assert given == {"group_id": id_, "name": "team", "members": 0, "spent": 0.0, "monthly": 100.0}
    assert alone.asked("budgets", "groups") == [given]
    alone.asked("budgets", "set-group", id_, "0", "--yes")
    assert alone.asked("budgets", "groups") == []
    nobodys = alone("budgets", "set-group", str(uuid4()), "1", "--yes")
    assert (nobodys.code, nobodys.out) == (3, "")


def test_secrets_of_another_key_are_counted_and_brought_to_the_newest(
    alone: Admin, rows: Sql
) -> None:
    owner, old = insert_user(rows, 0), alone.variables["ENCRYPTION_KEYS"]
    new = b64encode(secrets.token_bytes(32)).decode()
    rows(
        "INSERT INTO modelproviders (id, name, api_key, provider_metadata, creator_id)"
        " VALUES (gen_random_uuid(), 'p', '0badc0de.AAAA', '{}', %s)",
        owner,
    )
    status = alone("encryption", "status", "--json", ENCRYPTION_KEYS=f"{new},{old}")
    assert (status.json["keys"], status.json["left"]) == (2, 1)
    assert status.json["left_by_kind"]["provider keys"] == 1
    assert new not in status.out
    unsure = alone("encryption", "reencrypt")
    assert (unsure.code, unsure.out) == (2, "")
    ended = alone("encryption", "reencrypt", "--yes", "--json")
    assert ended.code == 1, "what no key decrypts is left"
    assert "can't be decrypted" in ended.json["left"][0]
    rows("DELETE FROM modelproviders WHERE creator_id = %s", owner)
    assert alone("encryption", "reencrypt", "--yes").code == 0
    assert alone.asked("encryption", "status")[0]["left"] == 0
