"""What administrators do at the console: find users, lock them out, let them go, read of it."""

import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Locator, expect

from gateway.audit.actions import Action
from gateway.console.pages import load_assets
from tests.console.people import OpenConsole, Person
from tests.master import Master
from tests.parts import Dictation
from tests.sql import Sql
from tests.system import System
from tests.users import User, insert_sign_in, insert_user, register_user

LOCKED_MS = 5_000  # which it never takes: the gateway tells it at once
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def administrator(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
        yield user


def row(person: Person, text: str) -> Locator:
    return person.page.get_by_role("row").filter(has_text=text)


async def confirm(person: Person, name: str) -> None:
    await person.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


async def test_whom_an_administrator_locks_out_is_told_on_his_own_page(
    open_console: OpenConsole, administrator: User, user: User
) -> None:
    async with (
        open_console(administrator, f"users/{user.id}") as ruler,
        open_console(user, "agents") as ruled,
    ):
        await ruler.see(user.name)
        await ruled.see_view()
        await ruler.click("Lock")
        await confirm(ruler, "Lock")
        await expect(ruled.page.get_by_role("alert")).to_contain_text(
            "sign-in has ended", timeout=LOCKED_MS
        )
        ruled.errors[:] = [each for each in ruled.errors if "401" not in each]
        await ruler.see("locked")
        await ruler.click("Audit", "tab")
        await expect(row(ruler, "user.locked")).to_contain_text(administrator.name)
        await ruler.click("Unlock")
        await ruler.see("may sign in")


async def test_others_do_not_see_what_is_for_administrators(
    open_console: OpenConsole, user: User
) -> None:
    async with open_console(user, "agents") as person:
        await person.see_view()
        await expect(person.page.get_by_role("link", name="Users")).to_have_count(0)


async def test_users_are_found_by_a_part_of_their_names(
    open_console: OpenConsole, administrator: User, user: User, other_user: User
) -> None:
    async with open_console(administrator, "users") as person:
        await person.fill("Search users", user.name[5:30].upper())
        await expect(row(person, user.name)).to_be_visible()
        await expect(row(person, other_user.name)).to_have_count(0)
        await person.fill("Search users", str(uuid4()))
        await person.see("Nobody is called so")


async def test_a_name_is_shown_as_it_is_whatever_stands_in_it(
    open_console: OpenConsole, system: System, administrator: User
) -> None:
    name = f"{HOSTILE}{uuid4()}"
    async with (
        register_user(system.gateway, name) as user,
        open_console(administrator, "users") as person,
    ):
        await person.fill("Search users", name)
        await person.click(name, "link")
        await expect(person.page.get_by_role("heading", name=name)).to_be_visible()
        await person.open(f"audit?user_id={user.id}&action=user.created")
        await expect(row(person, name)).to_be_visible()
        await expect(person.page.locator("main img")).to_have_count(0)


async def test_who_is_made_here_sets_a_password_by_a_link_that_is_shown_once(
    open_console: OpenConsole, administrator: User
) -> None:
    name = f"new-{uuid4()}"
    async with open_console(administrator, "users") as person:
        await person.click("New user")
        await person.fill("Name", name)
        await confirm(person, "Create the user")
        shown = await person.page.locator("dialog code").inner_text()
        assert re.fullmatch(r"http\S+/password-reset#\S{20,}", shown)
        await confirm(person, "Close")
        await person.fill("Search users", name)
        await expect(row(person, name)).to_be_visible()
        assert shown.partition("#")[2] not in await person.page.content()


async def test_one_is_made_an_administrator_and_none_again(
    open_console: OpenConsole, administrator: User, user: User
) -> None:
    async with open_console(administrator, f"users/{user.id}") as person:
        await person.click("Make administrator")
        await confirm(person, "Make administrator")
        await person.see("administrator")
        await person.click("Make user")
        await confirm(person, "Make user")
        await expect(
            person.page.get_by_role("button", name="Make administrator", exact=True)
        ).to_be_visible()


async def test_the_sign_ins_of_a_user_are_listed_and_ended(
    open_console: OpenConsole, administrator: User, user: User, sql: Sql
) -> None:
    other = insert_sign_in(sql, UUID(user.id))
    async with open_console(administrator, f"users/{user.id}") as person:
        await expect(person.page.get_by_role("row")).to_have_count(3)
        await person.click("End all")
        await confirm(person, "End all")
        await person.see("Signed in nowhere")
    assert sql("SELECT 1 FROM sign_ins WHERE id = %s AND ended_at IS NULL", other) == []


async def test_the_keys_of_a_user_are_listed_and_revoked(
    open_console: OpenConsole, system: System, administrator: User
) -> None:
    async with register_user(system.gateway) as user:
        made = await user.http.post("/api/keys", json={"name": "my editor", "scopes": ["chat"]})
        assert made.status_code == 200, made.text
        async with open_console(administrator, f"users/{user.id}?tab=keys") as person:
            await expect(row(person, "my editor")).to_be_visible()
            await person.click("Revoke")
            await confirm(person, "Revoke")
            await person.see("No API keys")
            assert made.json()["key"] not in await person.page.content()


async def test_what_a_user_has_asked_is_cancelled(
    open_console: OpenConsole, administrator: User, user: User, master: Master
) -> None:
    master.behave = Dictation().behave
    async with (
        user.chat() as chat,
        open_console(administrator, f"users/{user.id}?tab=requests") as person,
    ):
        await chat.send("What is the time?")
        await expect(row(person, "Running")).to_be_visible()
        await person.page.get_by_role("cell").get_by_role("button", name="Cancel").click()
        await expect(row(person, "Cancelled")).to_be_visible()
        assert (await chat.receive_answer())["response"]


async def test_who_is_deleted_is_seen_to_go(
    open_console: OpenConsole, administrator: User, other_user: User
) -> None:
    async with open_console(administrator, f"users/{other_user.id}") as person:
        await person.click("Delete")
        await confirm(person, "Delete")
        await expect(row(person, other_user.name)).to_contain_text("Deleted")


async def test_what_is_new_in_the_audit_log_comes_by_itself(
    open_console: OpenConsole, administrator: User, user: User, other_user: User
) -> None:
    async with open_console(administrator, f"audit?user_id={user.id}&action=user.locked") as person:
        await person.see("There is no such entry")
        for locked in (other_user, user):
            changed = await administrator.http.patch(
                f"/api/users/{locked.id}", json={"locked": True}
            )
            assert changed.status_code == 200, changed.text
        entry = row(person, "user.locked")
        await expect(entry).to_have_count(1)
        await entry.get_by_role("button").click()
        await expect(person.page.locator("pre")).to_contain_text(user.id)


async def test_the_filters_of_the_audit_log_stand_in_its_address(
    open_console: OpenConsole, administrator: User, user: User
) -> None:
    async with open_console(administrator, "audit") as person:
        await person.page.get_by_label("Action", exact=True).select_option("user.locked")
        await person.fill("Who, or whose", user.name)
        await person.see("There is no such entry")
        await expect(person.page).to_have_url(re.compile(f"action=user.locked&user_id={user.id}"))
        await person.fill("Object (its id)", "nothing")
        await person.page.keyboard.press("Tab")
        await person.see("This is no id.")
        await person.click("Show all")
        await expect(person.page.get_by_role("row").nth(1)).to_be_visible()


def test_the_audit_log_is_filtered_by_whatever_is_noted() -> None:
    text = load_assets()["views/audit/actions.js"].body.decode()
    assert set(re.findall(r'"([a-z0-9_.]+)"', text)) == {each.value for each in Action}


async def test_usage_is_told_by_day_by_model_and_by_user(
    open_console: OpenConsole, administrator: User, user: User, sql: Sql
) -> None:
    for days, model, price in ((0, "gpt-a", 1.5), (1, "gpt-a", 2.25), (1, "gpt-b", None)):
        sql(
            """
            INSERT INTO usage_days (user_id, day, model, requests, input_tokens, cached_tokens,
                                    output_tokens, price, unpriced_requests)
            VALUES (%s, CAST(timezone('utc', now()) AS date) - %s, %s, 3, 1000, 100, 50, %s, %s)
            """,
            *(user.id, days, model, price, 0 if price else 3),
        )
    async with open_console(administrator, f"usage?user={user.id}") as person:
        await person.page.get_by_label("Days").select_option("30 days")
        await person.see("$3.75")
        day = person.page.get_by_role("row").filter(has_text="2,000")
        await expect(day).to_contain_text("$2.25")
        await expect(person.page.get_by_role("img", name=re.compile("Price"))).to_be_visible()
        await person.click("By model", "tab")
        await expect(row(person, "gpt-a")).to_contain_text("$3.75")
        await expect(row(person, "gpt-b")).to_contain_text("unknown")
        await person.click("By user", "tab")
        await person.fill("Search users", user.name)
        await person.page.get_by_label("Days").select_option("30 days")
        await expect(row(person, user.name)).to_contain_text("$3.75")
        await expect(row(person, user.name)).to_contain_text("3 without a known price")
