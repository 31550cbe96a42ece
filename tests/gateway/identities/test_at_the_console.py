"""People sign in at the certified provider from the console's page."""

from uuid import uuid4

from playwright.async_api import Browser, expect

from tests.console.people import opening
from tests.gateway.identities.browsing import sign_in_there
from tests.gateway.identities.conftest import Installation
from tests.sql import Sql
from tests.users import PASSWORD, register_user

BY_NPM = "Continue with The provider of npm"


async def test_somebody_new_signs_in_and_is_where_he_wanted_to_be(
    chromium: Browser, installation: Installation, sql: Sql
) -> None:
    name = f"console-{uuid4().hex}"
    async with opening(chromium, installation.gateway, view="account/signing-in") as person:
        await person.click(BY_NPM)
        await sign_in_there(person.page, name)
        await person.see(name)
        await person.see("by The provider of npm")
        assert person.page.url == f"{installation.gateway}/console#/account/signing-in"
        stored = await person.page.evaluate("JSON.parse(localStorage.getItem('genai.sign-in'))")
        assert stored["refresh"]
        await person.page.go_back()
        await person.page.go_forward()
        await person.see("by The provider of npm")
    assert sql("SELECT id FROM users WHERE username = %s", name)


async def test_who_does_not_want_to_comes_back_with_the_reason(
    chromium: Browser, installation: Installation
) -> None:
    async with opening(chromium, installation.gateway) as person:
        await person.click(BY_NPM)
        await person.page.get_by_role("link", name="Cancel").click()
        await person.see("The provider of npm: The sign-in was not finished there.")
        await person.click(BY_NPM)
        await sign_in_there(person.page, f"console-{uuid4().hex}")
        await expect(person.page.get_by_role("navigation")).to_be_visible()


async def test_what_was_not_begun_here_is_not_finished_here(
    chromium: Browser, installation: Installation
) -> None:
    async with opening(chromium, installation.gateway) as person:
        await person.page.goto("about:blank")
        await person.page.goto(f"{person.url}#code=somebodys&state=else")
        await expect(person.page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert "somebodys" not in person.page.url


async def test_an_account_is_linked_and_unlinked(
    chromium: Browser, installation: Installation
) -> None:
    async with (
        register_user(installation.gateway) as user,
        opening(chromium, installation.gateway, user, "account/signing-in") as person,
    ):
        await person.click("Link The provider of npm")
        await sign_in_there(person.page, name := f"console-{uuid4().hex}")
        await person.page.get_by_role("dialog").get_by_label("Your password").fill("wrong")
        await person.confirm("Link")
        await person.see("The password is not the right one")
        person.forgive(400)
        await person.page.get_by_role("dialog").get_by_label("Your password").fill(PASSWORD)
        await person.confirm("Link")
        await person.see("The provider of npm is linked.")
        await person.see(name)
        await person.click("Unlink")
        await person.confirm("Unlink")
        await expect(person.page.get_by_role("button", name="Unlink")).to_have_count(0)
