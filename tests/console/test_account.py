"""One's own account at the console."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.console.people import OpenConsole
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, insert_user, register_user


async def test_a_key_is_made_shown_once_and_ended(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with open_console(user, "account/keys") as person:
        await person.click("New key")
        await person.click("Create the key")
        named = person.page.get_by_label("What is it for?")
        await expect(named).to_have_accessible_description(re.compile("Please fill this in."))
        await person.fill("What is it for?", "my editor")
        await person.fill("From these networks only", "nowhere")
        await person.click("Create the key")
        networks = person.page.get_by_label("From these networks only")
        await expect(networks).to_have_accessible_description(re.compile("'nowhere' is no address"))
        person.forgive(400)
        await person.fill("From these networks only", "127.0.0.0/8, ::1")
        await person.click("Create the key")
        await person.see("This is the only time that you see it.")
        key = await person.page.locator("dialog code").inner_text()
        async with connect_to(system.gateway, Authorization=f"Bearer {key}") as http:
            assert (await http.get("/v1/models")).status_code == 200
        await person.click("I have it")
        await person.see("from 127.0.0.0/8, ::1")
        assert key not in await person.page.content()
        await person.page.reload()
        await person.see(key[:10])
        assert key not in await person.page.content()
        await person.click("Rename “my editor”")
        await person.fill("What is it for?", "my other editor")
        await person.click("Save")
        await person.click("End the key “my other editor”?")
        await person.confirm("End the key")
        await person.see("No keys yet")


async def test_a_sign_in_is_ended(open_console: OpenConsole, user: User, system: System) -> None:
    async with register_user(system.gateway) as owner:
        first = owner.token
        await owner.sign_in_again()
        async with open_console(owner, "account/signing-in") as person:
            await expect(person.page.get_by_text("this one")).to_have_count(1)
            await person.click("End it")
            await person.confirm("End it")
            await expect(person.page.get_by_role("button", name="End it")).to_have_count(0)
        assert (await owner.http.get("/api/me")).status_code == 401
        async with connect_to(system.gateway, Authorization=f"Bearer {first}") as http:
            assert (await http.get("/api/me")).status_code == 200


async def test_a_password_is_changed(open_console: OpenConsole, system: System) -> None:
    async with (
        register_user(system.gateway) as owner,
        open_console(owner, "account/signing-in") as person,
    ):
        await person.fill("Your password", "wrong")
        await person.fill("New password", "An0ther!!")
        await person.fill("New password again", "An0ther!!")
        await person.click("Change password")
        old = person.page.get_by_label("Your password")
        await expect(old).to_have_accessible_description("The old password is not the right one")
        person.forgive(400)
        await person.fill("Your password", PASSWORD)
        await person.click("Change password")
        await person.see("Changed.")


async def test_a_group_is_made_and_somebody_comes_into_it(
    open_console: OpenConsole, user: User, system: System, sql: Sql
) -> None:
    async with insert_user(system, sql) as guest:
        async with open_console(user, "account/groups") as person:
            await person.click("New group")
            await person.fill("Name of the group", "Weather team")
            await person.click("Create the group")
            await person.fill("Invite somebody", "nobody at all")
            await person.click("Invite")
            invited = person.page.get_by_label("Invite somebody")
            await expect(invited).to_have_accessible_description(re.compile("nobody at all"))
            person.forgive(400)
            await person.fill("Invite somebody", guest.name)
            await person.click("Invite")
            await person.see("invited")
        async with open_console(guest, "account/groups") as other:
            await other.click("Accept")
            await other.click("Weather team Member · 2 members", role="link")
            await other.see("You are a member of this group.")
            await other.click("Leave")
            await other.confirm("Leave")
            await other.see("No groups yet")


async def test_all_is_taken_along_and_brought_in_again(
    open_console: OpenConsole, user: User, tmp_path: Path
) -> None:
    async with open_console(user, "account/data") as person:
        async with person.page.expect_download() as told:
            await person.click("Download everything")
        path = tmp_path / "account.zip"
        await (await told.value).save_as(path)
        assert path.read_bytes().startswith(b"PK")
        await person.click("Bring it in")
        await person.see("Please fill this in.")
        await person.page.get_by_label("The ZIP").set_input_files(path)
        await person.click("Bring it in")
        await person.see("model configs")


async def test_one_leaves(open_console: OpenConsole, system: System) -> None:
    async with (
        register_user(system.gateway) as owner,
        open_console(owner, "account/data") as person,
    ):
        await person.click("Delete my account")
        await person.fill(f"Type your name, {owner.name}, to go on", "somebody")
        await person.confirm("Delete my account")
        await person.see("This is not your name.")
        await person.fill(f"Type your name, {owner.name}, to go on", owner.name)
        await person.fill("Your password", PASSWORD)
        await person.confirm("Delete my account")
        await person.see("Your account is being deleted. Goodbye.")
        person.forgive(401)  # of the stream that has ended
        assert (await owner.http.get("/api/me")).status_code == 401


async def test_colours_are_chosen_and_stay(open_console: OpenConsole, user: User) -> None:
    async with open_console(user, "account", color_scheme="light") as person:
        await person.page.get_by_label("Dark").check()
        await person.page.reload()
        await expect(person.page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(person.page.get_by_label("Dark")).to_be_checked()
