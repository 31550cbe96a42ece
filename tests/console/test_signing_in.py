"""How one signs in and out at the console, and what ends it."""

import json
import time
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.console.people import KEY, OpenConsole, Person
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, insert_user, register_user

STORED = f"JSON.parse(localStorage.getItem({json.dumps(KEY)}))"


async def test_one_signs_in_by_name_and_password(open_console: OpenConsole, system: System) -> None:
    async with register_user(system.gateway) as user, open_console(view="agents") as person:
        await person.click("Sign in")
        assert await person.page.get_by_text("Please fill this in.").count() == 2
        await person.fill("Name", user.name)
        await person.fill("Password", "wrong")
        await person.click("Sign in")
        await person.see("Incorrect username or password")
        person.forgive(400)
        await person.fill("Password", PASSWORD)
        await person.click("Sign in")
        await expect(person.page.get_by_role("heading", name="Agents", exact=True)).to_be_visible()
        await person.see(user.name)


async def test_one_registers(open_console: OpenConsole, user: User) -> None:
    name = f"ada-{uuid4()}"
    async with open_console(view="account") as person:
        await person.click("Create an account")
        await person.fill("Name", user.name)
        await person.fill("Password", PASSWORD)
        await person.fill("Password again", "another")
        await person.click("Create an account")
        await person.see("The two are not the same.")
        await person.fill("Password again", PASSWORD)
        await person.click("Create an account")
        told = person.page.get_by_label("Name", exact=True)
        await expect(told).to_have_accessible_description(f"User '{user.name}' already exists")
        person.forgive(400)
        await person.fill("Name", name)
        await person.fill("Password", "password")
        await person.fill("Password again", "password")
        await person.click("Create an account")
        await expect(person.page.get_by_label("Password", exact=True)).to_have_attribute(
            "aria-invalid", "true"
        )
        person.forgive(400, 422)
        await person.fill("Password", PASSWORD)
        await person.fill("Password again", PASSWORD)
        await person.click("Create an account")
        await expect(person.page.get_by_role("heading", name=name)).to_be_visible()


async def test_who_signs_out_does_so_in_all_tabs(open_console: OpenConsole, user: User) -> None:
    async with open_console(user, "account") as person:
        other = await person.open_tab()
        await other.open("agents")
        await other.see_view()
        async with person.page.expect_response("**/api/logout") as told:
            await person.click("Sign out")
        await expect(person.page.get_by_role("heading", name="Sign in")).to_be_visible()
        await other.see("You have signed out in another tab.")
        assert (await told.value).status == 204
        assert (await user.http.get("/api/me")).status_code == 401


async def test_what_was_not_sent_is_not_the_next_one_s(
    open_console: OpenConsole, system: System
) -> None:
    """Neither what was being written, nor what would be sent as soon as that is possible."""
    async with register_user(system.gateway) as user, register_user(system.gateway) as other:
        id_ = str(uuid4())
        async with open_console(view=f"chat/{id_}") as person:
            page = person.page
            await _sign_in(person, user)
            unsent = [{"messageId": str(uuid4()), "text": "my other secret", "files": []}]
            kept = {f"genai.draft.{id_}": "my secret", f"genai.unsent.{id_}": json.dumps(unsent)}
            await person.open("account")  # where nothing that waits is sent
            await page.get_by_role("button", name="Sign out").wait_for()
            await page.evaluate("(kept) => Object.assign(sessionStorage, kept)", kept)
            await person.click("Sign out")
            await person.open(f"chat/{id_}")
            await _sign_in(person, other)
            await expect(page.get_by_label("Write a message", exact=True)).to_have_value("")
            await expect(page.get_by_text("my other secret")).to_have_count(0)
            assert "secret" not in await page.evaluate("Object.values(sessionStorage).join()")
            person.forgive(400)  # there is no such chat


async def _sign_in(person: Person, user: User) -> None:
    await person.fill("Name", user.name)
    await person.fill("Password", PASSWORD)
    await person.click("Sign in")
    await person.see(user.name)


@pytest.fixture
def hasty_gateway(system: System) -> str:
    """A gateway whose access tokens last for three seconds."""
    system.start_gateway(ACCESS_TOKEN_SECONDS="3")
    return system.gateways.pop()


async def test_tokens_are_renewed_once_for_all_tabs(
    open_console: OpenConsole, system: System, hasty_gateway: str, sql: Sql
) -> None:
    """A refresh token that came twice would end the sign-in."""
    async with (
        register_user(system.gateway) as user,
        open_console(view="account", gateway=hasty_gateway) as person,
    ):
        await person.fill("Name", user.name)
        await person.fill("Password", PASSWORD)
        await person.click("Sign in")
        await person.see(user.name)
        others = [await person.open_tab() for _ in range(2)]
        for other in others:
            await other.open("account/signing-in")
        for _ in range(3):
            first = await person.page.evaluate(f"{STORED}.access")
            for each in (person, *others):
                await each.page.wait_for_function(f"first => {STORED}?.access !== first", arg=first)
        for each in (person, *others):
            await each.open("account/keys")
            await each.see("No keys yet")
        person.forgive(401)  # of a call that was under way when its token ended
        [ended] = sql("SELECT count(*) FROM audit WHERE action = 'sign_in.copied'")
        assert ended["count"] == 0


async def test_who_is_locked_is_out_at_once(
    open_console: OpenConsole, system: System, user: User, sql: Sql
) -> None:
    async with insert_user(system, sql) as administrator, open_console(user, "agents") as person:
        sql("UPDATE users SET role = 'admin' WHERE id = %s", administrator.id)
        await person.see(user.name)
        other = await person.open_tab()
        await other.open("account/keys")
        await other.see("No keys yet")
        locked = await administrator.http.patch(f"/api/users/{user.id}", json={"locked": True})
        assert locked.status_code == 200
        since = time.perf_counter()
        await person.see("Your sign-in has ended. Please sign in again.")
        print(f"seen {time.perf_counter() - since:.2f} s after it was locked")
        await other.see("Your sign-in has ended. Please sign in again.")
        person.forgive(401)
