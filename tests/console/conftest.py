"""A browser, and pages of it that fail the test where one logs an error or a refused resource."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.chromium import run_chromium
from tests.console.people import OpenConsole, Person, opening
from tests.system import System
from tests.users import User


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """One for all tests of a worker; each person has storage of his own."""
    async with run_chromium() as browser:
        yield browser


@pytest.fixture
def open_console(browser: Browser, system: System) -> OpenConsole:
    """Opens the console of a gateway, the shared system's by default, for a user or for nobody."""

    def open_(
        user: User | None = None, view: str = "", gateway: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Person]:
        return opening(browser, gateway or system.gateway, user, view, **options)

    return open_
