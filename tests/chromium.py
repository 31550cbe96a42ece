"""Chromium, as Playwright drives it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

from tests.end_to_end.proxy import find_program

WAITED_MS = 20_000  # which only a test that fails waits
ARGUMENTS = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@asynccontextmanager
async def run_chromium() -> AsyncIterator[Browser]:
    """One browser without a window."""
    expect.set_options(timeout=WAITED_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_program("chromium"), args=ARGUMENTS
        )
        yield browser
        await browser.close()
