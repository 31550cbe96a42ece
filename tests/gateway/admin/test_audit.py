"""The audit log by the command, and what the command leaves in it."""

from tests.gateway.admin.commands import Admin
from tests.gateway.audit.entries import noting
from tests.sql import Sql
from tests.users import User


async def test_what_the_command_does_is_noted_as_its_own(
    admin: Admin, sql: Sql, user: User
) -> None:
    async with noting(sql, user.id) as noted:
        for command in ("make-admin", "make-user", "lock", "unlock"):
            ended = await admin.soon("users", command, user.id, "--yes")
            assert ended.code == 0, ended.err
    assert noted.actions == [
        "user.role_changed",
        "user.role_changed",
        "sign_in.ended",
        "user.locked",
        "user.unlocked",
    ]
    assert {(each["via"], each["actor_id"]) for each in noted.entries} == {("command", None)}


async def test_entries_are_listed_by_user_action_and_object(admin: Admin, user: User) -> None:
    listed = await admin.soon("audit", "--user", user.name, "--json")
    actions = [each["action"] for each in listed.lines]
    assert actions == ["provider.created", "sign_in.succeeded", "user.created"]
    provider = listed.lines[0]
    only = await admin.soon("audit", "--object", provider["object_id"], "--json")
    assert only.lines == [provider]
    by_action = ("audit", "--user", user.id, "--action", "user.created")
    [created] = (await admin.soon(*by_action, "--since", "2026-01-01", "--json")).lines
    assert (created["owner"], created["via"]) == (user.name, "database")
    assert (await admin.soon(*by_action, "--until", "2026-01-01", "--json")).lines == []


async def test_a_user_who_was_deleted_is_found_by_the_id(
    admin: Admin, sql: Sql, user: User
) -> None:
    sql("DELETE FROM users WHERE id = %s", user.id)
    listed = await admin.soon("audit", "--user", user.id, "--limit", "1", "--json")
    assert [each["action"] for each in listed.lines] == ["user.deleted"]
    assert listed.lines[0]["details"]["username"] == user.name
    assert listed.err == "There are more: --offset 1\n"


async def test_an_action_that_is_none_is_refused(admin: Admin) -> None:
    ended = await admin.soon("audit", "--action", "user.praised")
    assert "There is no action 'user.praised'" in ended.err
    assert ended.code != 0
