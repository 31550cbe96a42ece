"""Showing again who one is: where one has signed in some time ago."""

from uuid import uuid4

from playwright.async_api import expect

from tests.console.people import OpenConsole
from tests.gateway.identities.browsing import sign_in_there
from tests.gateway.identities.conftest import (  # noqa: F401 (fixtures)
    Installation,
    installation,
    scripted_provider,
)
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, register_user

AGE = "UPDATE sign_ins SET authenticated_at = now() - interval '1 hour' WHERE user_id = %s"
KEYS = "SELECT name FROM api_keys WHERE user_id = %s"


async def test_the_password_is_asked_for_before_a_key_is_made(
    open_console: OpenConsole, system: System, sql: Sql
) -> None:
    async with register_user(system.gateway) as user:
        sql(AGE, user.id)
        async with open_console(user, "account/keys") as person:
            await person.click("New key")
            await person.fill("What is it for?", "my editor")
            await person.click("Create the key")
            await person.see("Is it still you?")
            await person.fill("Password", "wrong")
            await person.click("Confirm")
            await person.see("The password is not the right one")
            await person.fill("Password", PASSWORD)
            await person.click("Confirm")
            await person.see("genai_")
            assert sql(KEYS, user.id) == [{"name": "my editor"}]
            person.errors.clear()  # the browser notes what was refused


async def test_who_has_no_password_is_sent_to_his_provider(
    open_console: OpenConsole,
    installation: Installation,  # noqa: F811 (a fixture)
    sql: Sql,
) -> None:
    name = f"console-{uuid4().hex}"
    async with open_console(view="account/signing-in", gateway=installation.gateway) as person:
        page = person.page

        async def sign_in_there() -> None:
            await page.locator("input[name=login]").fill(name)
            await page.locator("input[name=password]").fill("any")
            await page.locator("button[type=submit]").click()

        await person.click("Continue with The provider of npm")
        await sign_in_there()
        await person.see("Where you are signed in")
        [user] = sql("SELECT id FROM users WHERE username = %s", name)
        sql(AGE, user["id"])
        await person.open("account/keys")
        await person.click("New key")
        await person.fill("What is it for?", "my editor")
        await person.click("Create the key")
        await person.click("Sign in with The provider of npm again")
        await sign_in_there()
        await person.see("Thank you. Please do it again now.")
        await person.click("New key")
        await person.fill("What is it for?", "my editor")
        await person.click("Create the key")
        await person.see("genai_")
        await expect(page.get_by_role("dialog")).to_have_count(1)
        assert sql(KEYS, user["id"]) == [{"name": "my editor"}]
        lasting = "SELECT count(*) FROM sign_ins WHERE user_id = %s AND ended_at IS NULL"
        assert sql(lasting, user["id"]) == [{"count": 1}]
        person.errors.clear()  # and what the provider's page wants of the internet


async def test_who_signs_in_as_somebody_else_has_shown_nothing(
    open_console: OpenConsole,
    installation: Installation,  # noqa: F811 (a fixture)
    sql: Sql,
) -> None:
    other = f"console-{uuid4().hex}"
    async with register_user(installation.gateway) as user:
        sql(AGE, user.id)
        async with open_console(user, "account/keys", gateway=installation.gateway) as person:
            await person.click("New key")
            await person.fill("What is it for?", "my editor")
            await person.click("Create the key")
            await person.click("Sign in with The provider of npm again")
            await sign_in_there(person.page, other)
            await person.see(f"That was {other}. You are signed in as {user.name}.")
            await person.see(user.name)
            person.errors.clear()  # the browser notes what was refused
    assert sql(KEYS, user.id) == []
    lasting = """
        SELECT username FROM sign_ins JOIN users ON users.id = user_id
        WHERE username = ANY(%s) AND ended_at IS NULL
    """
    assert sql(lasting, [other, user.name]) == [{"username": user.name}]
