"""Requests by the command: listed, cancelled; and what waits."""

from tests.agent_bridge.actors import unanswered
from tests.gateway.admin.commands import Admin
from tests.master import Master
from tests.users import User, eventually

NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"


async def open_requests(admin: Admin, user: User, count: int) -> list[str]:
    """The ids of the user's open requests, newest first, once there are so many."""
    ids: list[str] = []

    async def holds() -> bool:
        listed = await admin.soon("requests", "list", "--user", user.id, "--json")
        ids[:] = [each["request_id"] for each in listed.lines]
        return len(ids) == count

    await eventually(holds, f"{count} open requests")
    return ids


async def test_open_requests_are_listed_and_others_where_it_is_said(
    admin: Admin, user: User, master: Master
) -> None:
    of_user = ("requests", "list", "--user", user.name, "--json")
    async with user.chat() as chat:
        answered = (await chat.ask("hello"))["response"]["request_id"]
        async with unanswered(master, chat):
            [running] = (await admin.soon(*of_user)).lines
            assert (running["username"], running["status"]) == (user.name, "running")
            assert running["session_id"] == chat.session_id
            everything = await admin.soon(*of_user, "--all", "--hours", "1")
            ids = [each["request_id"] for each in everything.lines]
            assert ids == [running["request_id"], answered]
            some = await admin.soon(*of_user, "--status", "answered", "--session", chat.session_id)
            assert [each["request_id"] for each in some.lines] == [answered]
            assert "hello" not in everything.out
            await admin.soon("requests", "cancel", "--yes", running["request_id"])


async def test_a_cancelled_request_ends_for_its_user_and_at_its_bridge(
    admin: Admin, user: User, master: Master
) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        [running] = (await admin.soon("requests", "list", "--user", user.id, "--json")).lines
        cancel = ("requests", "cancel", running["request_id"], "--json")
        unsure = await admin.soon(*cancel, stdin="y\n")
        assert (unsure.code, unsure.out) == (2, "")
        assert "say --yes" in unsure.err
        unknown = await admin.soon(*cancel, NOBODYS, "--yes")
        assert (unknown.code, unknown.err) == (3, f"There is no request {NOBODYS}.\n")
        done = await admin.soon(*cancel, "--yes")
        assert (done.code, done.json["status"]) == (0, "cancelled")
        assert (await chat.receive())["error"] == "The request was cancelled"
        again = (await admin.soon(*cancel, "--yes")).json
        assert {**again, "delivered_at": None} == {**done.json, "delivered_at": None}
        why = (await admin.soon("requests", "why", running["request_id"], "--json")).json
        assert why["because"][0].startswith("It does not wait, it was ended at 2")


async def test_what_waits_and_runs_is_counted_in_all_and_by_user(
    admin: Admin, user: User, master: Master
) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        await chat.send("the next one")
        ids = await open_requests(admin, user, 2)
        queue = (await admin.soon("queues", "show", "--json")).json
        assert queue["running"] >= sum(queue["running_at"].values()) >= 1
        users = (await admin.soon("queues", "users", "--limit", "1000", "--json")).lines
        [own] = [each for each in users if each["user_id"] == user.id]
        assert (own["username"], own["running"]) == (user.name, 1)
        assert (own["waiting"], queue["waiting"] >= 1) == (1, True)
        await admin.soon("requests", "cancel", "--yes", *ids[::-1])


async def test_why_a_request_waits_is_said_of_the_one_before_it_and_of_the_master_agent(
    admin: Admin, user: User, master: Master
) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        await chat.send("the next one")
        waiting, running = await open_requests(admin, user, 2)
        why = (await admin.soon("requests", "why", waiting, "--json")).json
        assert (why["status"], why["username"]) == ("queued", user.name)
        assert why["because"][0] == (
            f"Request {running} of the same chat was asked before it and runs:"
            " a chat has one running request at a time."
        )
        why = (await admin.soon("requests", "why", running, "--json")).json
        assert "The master agent has had it for " in why["because"][0]
        await admin.soon("requests", "cancel", "--yes", running, waiting)


def test_an_unknown_request_is_not_found(admin: Admin) -> None:
    ended = admin("requests", "why", NOBODYS)
    assert (ended.code, ended.err) == (3, f"There is no request {NOBODYS}.\n")
    assert admin("requests", "why", "x").code == 2


def test_a_user_who_does_not_exist_has_no_requests(admin: Admin) -> None:
    assert admin("requests", "list", "--user", "nobody at all").code == 3
