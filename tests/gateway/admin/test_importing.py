"""Users of a CSV file."""

from pathlib import Path
from uuid import uuid4

import pytest

from gateway.accounts.passwords import BREACHED
from gateway.admin import output
from gateway.admin.work import importing
from tests.gateway.admin.commands import Admin, Json
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, connect_to


def refused(line: int, username: str, reason: str) -> Json:
    return {"line": line, "username": username, "reason": reason}


def test_each_good_line_is_a_user_and_each_other_one_is_reported(
    admin: Admin, sql: Sql, tmp_path: Path
) -> None:
    mark = uuid4()
    file = tmp_path / "users.csv"
    file.write_text(
        "username,password,first_name\n"
        f"ada-{mark},{PASSWORD},Ada\n"
        f"weak-{mark},password,\n"
        f'"two\nlines-{mark}",{PASSWORD},\n'
        f"ADA-{mark},{PASSWORD},\n"
        f"short-{mark},{PASSWORD}\n"
        f'"bob-{mark}",{PASSWORD},\n'
        f"eve-{mark},Password1!,\n",
        encoding="utf-8-sig",
    )
    ended = admin("users", "import", str(file), "--json")
    assert ended.code == 1
    assert ended.json == {
        "created": 2,
        "refused": [
            refused(3, f"weak-{mark}", "Password must contain an uppercase character"),
            refused(
                5,
                f"two\nlines-{mark}",
                "Value error, 'username' must have no invisible characters or line breaks",
            ),
            refused(6, f"ADA-{mark}", f"User 'ADA-{mark}' already exists"),
            refused(7, f"short-{mark}", "It has another number of values than the first line."),
            refused(9, f"eve-{mark}", BREACHED),
        ],
    }
    assert ended.err.endswith("2 users were created, 5 lines refused.\n")
    assert PASSWORD not in ended.out
    rows = sql(
        "SELECT username, first_name FROM users JOIN userprofiles ON user_id = users.id"
        " WHERE position(%s IN username) > 0 ORDER BY username",
        str(mark),
    )
    assert rows == [
        {"username": f"ada-{mark}", "first_name": "Ada"},
        {"username": f"bob-{mark}", "first_name": None},
    ]


async def test_who_is_imported_from_stdin_can_log_in(admin: Admin, system: System) -> None:
    name = f"imported-{uuid4()}"
    text = f"password,username\n{PASSWORD},{name}\n"
    ended = await admin.soon("users", "import", "-", stdin=text)
    assert (ended.code, ended.out) == (0, "")
    async with connect_to(system.gateway) as http:
        credentials = {"username": name, "password": PASSWORD}
        good(await http.post("/api/login/access-token", data=credentials))


def test_what_was_imported_before_is_only_reported(admin: Admin) -> None:
    names = [f"{number}-{uuid4()}" for number in range(2)]
    text = "username,password\n" + "".join(f"{name},{PASSWORD}\n" for name in names)
    assert admin("users", "import", "-", stdin=text).code == 0
    again = admin("users", "import", "-", "--json", stdin=text)
    assert (again.code, again.json["created"]) == (1, 0)
    assert [line["username"] for line in again.json["refused"]] == names


def test_long_work_says_how_far_it_is(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(importing, "BATCH", 2)
    lines = "".join(f"{uuid4()},{PASSWORD}\n" for _ in range(3))
    ended = admin("users", "import", "-", stdin=f"username,password\n{lines}")
    assert ended.err == (
        "line 3: 2 users created\nline 4: 3 users created\n3 users were created, 0 lines refused.\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("", 2, "The first line must name the columns username and password."),
        ("username\nada\n", 2, "The first line must name the columns password."),
        ("username,password,role\n", 2, "There is no column 'role'"),
        ("username,password,username\n", 2, "A column is named twice."),
        ('username,password\n"ada"x,secret\n', 1, "What follows line 1 is no CSV"),
        (f"username,password\n{'a' * 200_000},secret\n", 1, "What follows line 1 is no CSV"),
    ],
)
def test_a_file_that_is_none_is_refused(admin: Admin, text: str, code: int, why: str) -> None:
    ended = admin("users", "import", "-", stdin=text)
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err
    assert "secret" not in ended.err


def test_a_file_that_is_not_there_is_named(admin: Admin) -> None:
    ended = admin("users", "import", "/nowhere/users.csv")
    assert (ended.code, ended.out) == (2, "")
    assert "/nowhere/users.csv" in ended.err


def test_a_file_in_another_encoding_is_refused(admin: Admin, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes(f"username,password\nbjörn,{PASSWORD}\n".encode("latin-1"))
    ended = admin("users", "import", str(file))
    assert (ended.code, ended.out) == (1, "")
    assert "is not UTF-8" in ended.err
