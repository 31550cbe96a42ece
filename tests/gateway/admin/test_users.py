"""Users by the command: listed, shown, created."""

from uuid import uuid4

import pytest

from tests.gateway.admin.commands import Admin
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to


def new_name() -> str:
    return f"made-{uuid4()}"


def test_users_are_listed_newest_first_and_in_parts(admin: Admin, sql: Sql) -> None:
    mark = f"{uuid4()}"
    for number in range(3):
        sql(
            "INSERT INTO users (id, username, password, created_at)"
            " VALUES (%s, %s, '-', now() + %s * interval '1 second')",
            *(uuid4(), f"{mark}-{number}", number),
        )
    names = [each["username"] for each in admin.asked("users", "list", "--name", mark.upper())]
    assert names == [f"{mark}-{number}" for number in (2, 1, 0)]
    part = admin("users", "list", "--name", mark, "--limit", "1", "--offset", "1", "--json")
    assert [each["username"] for each in part.lines] == [f"{mark}-1"]
    assert part.err == "There are more: --offset 2\n"


async def test_a_user_is_shown_by_name_or_id_with_how_much_he_has(admin: Admin, user: User) -> None:
    await user.register_agent("painter", "paints")
    shown = (await admin.soon("users", "show", user.name, "--json")).json
    assert (shown["id"], shown["username"], shown["chats"]) == (user.id, user.name, 0)
    assert (shown["has"]["agents"], shown["has"]["model configs"]) == (1, 1)
    assert (await admin.soon("users", "show", user.id, "--json")).json == shown
    text = await admin.soon("users", "show", user.id)
    assert user.name in text.out
    assert "1 agents\n" in text.out


@pytest.mark.parametrize("named", ["4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d", "nobody at all"])
def test_who_does_not_exist_is_not_found(admin: Admin, named: str) -> None:
    ended = admin("users", "show", named)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == f"There is no user '{named}'.\n"


async def test_who_is_created_can_log_in(admin: Admin, system: System) -> None:
    name = new_name()
    created = await admin.soon(
        "users", "create", f" {name}", "--password-stdin", "--json", stdin=f"{PASSWORD}\n"
    )
    assert (created.code, created.json["username"]) == (0, name)
    assert PASSWORD not in created.out + created.err
    async with connect_to(system.gateway) as http:
        credentials = {"username": name, "password": PASSWORD}
        good(await http.post("/api/login/access-token", data=credentials))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Passw0rd", "Password must contain a special character"),
        ("P0!", "Password must be longer than 8 symbols"),
        ("", "'password' must not be empty"),
        ("P0!a" * 300, "at most 1,024 characters"),
        ("P@ssw0rd", "known from breaches"),
    ],
)
def test_the_rules_are_those_of_a_registration(admin: Admin, password: str, why: str) -> None:
    ended = admin("users", "create", new_name(), "--password-stdin", stdin=password)
    assert (ended.code, ended.out) == (4, "")
    assert why in ended.err


def test_a_name_is_had_once(admin: Admin, sql: Sql) -> None:
    name = new_name()
    assert admin("users", "create", name, "--password-stdin", stdin=PASSWORD).code == 0
    again = admin("users", "create", name.upper(), "--password-stdin", stdin=PASSWORD)
    assert (again.code, again.err) == (4, f"User '{name.upper()}' already exists\n")


def test_a_password_is_never_waited_for_where_nobody_types(admin: Admin) -> None:
    ended = admin("users", "create", new_name(), stdin=PASSWORD)
    assert (ended.code, ended.out) == (2, "")
    assert "--password-stdin" in ended.err


def test_a_password_is_no_argument(admin: Admin) -> None:
    ended = admin("users", "create", new_name(), PASSWORD)
    assert (ended.code, ended.out) == (2, "")


def test_what_users_write_can_not_control_the_terminal(admin: Admin, sql: Sql) -> None:
    name = f"\x1b[2J\u202e{uuid4()}"
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", uuid4(), name)
    ended = admin("users", "list", "--name", name)
    assert "\\x1b[2J\\u202e" in ended.out
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
