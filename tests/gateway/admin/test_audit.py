"""The audit log by the command, and what the command leaves in it."""

from uuid import UUID

from tests.agent_bridge.actors import unanswered
from tests.gateway.admin.commands import Admin
from tests.gateway.audit.entries import noting
from tests.gateway.shapes import good
from tests.master import Master
from tests.sql import Sql
from tests.users import User, eventually


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


async def test_budgets_are_noted_with_what_may_be_spent(admin: Admin, sql: Sql, user: User) -> None:
    async with noting(sql, user.id) as noted:
        for usd in ("25", "25", "0.5"):
            await admin.soon("budgets", "set", user.id, usd, "--yes")
        for _ in "12":
            await admin.soon("budgets", "clear", user.id, "--yes")
    assert [(each["action"], each["details"]) for each in noted.entries] == [
        ("budget.created", {"usd": 25}),
        ("budget.changed", {"usd": 0.5}),
        ("budget.deleted", {}),
    ]
    told = {(each["via"], each["object_id"], each["owner_id"]) for each in noted.entries}
    assert told == {("command", UUID(user.id), UUID(user.id))}


async def test_a_groups_budget_is_noted_and_goes_with_it_unnoted(admin: Admin, sql: Sql) -> None:
    [group] = sql("INSERT INTO groups (id, name) VALUES (gen_random_uuid(), 'team') RETURNING id")
    for usd in ("25", "0"):
        await admin.soon("budgets", "set-group", str(group["id"]), usd, "--yes")
    sql("DELETE FROM groups WHERE id = %s", group["id"])
    entries = sql("SELECT * FROM audit WHERE object_id = %s ORDER BY id", group["id"])
    assert [(each["action"], each["via"], each["owner_id"]) for each in entries] == [
        ("group.created", "database", None),
        ("budget.created", "command", None),
        ("budget.changed", "command", None),
        ("group.deleted", "database", None),
    ]
    assert [each["details"] for each in entries[1:3]] == [{"usd": 25}, {"usd": 0}]


async def test_requests_that_the_command_cancels_are_noted_and_a_users_own_are_not(
    admin: Admin, sql: Sql, user: User, master: Master
) -> None:
    async with noting(sql, user.id) as noted, user.chat() as chat, unanswered(master, chat):
        await chat.send("the next one")
        listed = ("requests", "list", "--user", user.id, "--json")

        async def are_open() -> bool:
            ids[:] = [each["request_id"] for each in (await admin.soon(*listed)).lines]
            return len(ids) == 2

        ids: list[str] = []
        await eventually(are_open, "both are accepted")
        waiting, running = ids
        for _ in "12":
            await admin.soon("requests", "cancel", "--yes", running)
        good(await user.http.post(f"/api/requests/{waiting}/cancel"))
    assert (noted.only["action"], noted.only["via"]) == ("request.cancelled", "command")
    assert (noted.only["object_id"], noted.only["owner_id"]) == (UUID(running), UUID(user.id))


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
