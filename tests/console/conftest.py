"""A browser, and pages of it that fail the test where one logs an error or a refused resource."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.console.people import OpenConsole, Person
from tests.end_to_end.proxy import find_program
from tests.system import System
from tests.users import User

ARGUMENTS = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
WAITED_MS = 20_000  # which only a test that fails waits


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of a worker; each person has storage of his own."""
    expect.set_options(timeout=WAITED_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_program("chromium"), args=ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture
def open_console(browser: Browser, system: System) -> OpenConsole:
    """Opens the console of a gateway, the shared system's by default, for a user or for nobody."""

    @asynccontextmanager
    async def open_(
        user: User | None = None, view: str = "", gateway: str | None = None, **options: Any
    ) -> AsyncIterator[Person]:
        context = await browser.new_context(**options)
        context.set_default_timeout(WAITED_MS)
        page = await context.new_page()
        person = Person(page, f"{gateway or system.gateway}/console", _collect_errors(page))
        if user is not None:
            await person.sign_in_as(user)
        await person.open(view)
        yield person
        await context.close()
        assert not person.errors, person.errors

    return open_


def _collect_errors(page: Page) -> list[str]:
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
