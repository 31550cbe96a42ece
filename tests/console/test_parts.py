"""The map of the parts, and what they did in the last hour."""

import os
import re
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.people import OpenConsole, Person
from tests.sql import Sql, run_sql
from tests.system import System
from tests.users import User, insert_user

LOST_MS = 20_000
APART_MS = 2_000  # two questions of the page


@pytest.fixture
def started_sql(bare_system: System) -> Iterator[Sql]:
    bare_system.start_router()
    bare_system.start_gateway()
    bare_system.start_door()
    with run_sql(bare_system.settings) as sql:
        yield sql


@pytest.fixture
async def administrator(bare_system: System, started_sql: Sql) -> AsyncIterator[User]:
    async with insert_user(bare_system, started_sql) as user:
        started_sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
        yield user


def node(person: Person, url: str) -> Locator:
    """The box of a process."""
    return person.page.get_by_role("listitem").filter(has_text=url.removeprefix("http://"))


def plot(page: Page, title: str) -> Locator:
    return page.get_by_role("figure").filter(has_text=title)


async def test_the_map_shows_who_comes_and_who_is_killed(
    open_console: OpenConsole, bare_system: System, administrator: User
) -> None:
    async with open_console(administrator, "parts", gateway=bare_system.gateway) as person:
        first = node(person, bare_system.bridges[0])
        await expect(node(person, bare_system.gateway)).to_contain_text("answers this page")
        await expect(first).to_contain_text("Router session")
        bare_system.start_bridge()
        second = node(person, bare_system.bridges[1])
        await expect(second).to_contain_text("Running")
        os.kill(bare_system.children["bridge 2"].process.pid, signal.SIGKILL)
        await expect(second).to_contain_text("Lost", timeout=LOST_MS)
        await expect(first).to_contain_text("Running")


async def test_plots_get_points_and_are_told_as_tables(
    open_console: OpenConsole, bare_system: System, administrator: User
) -> None:
    async with open_console(administrator, "parts", gateway=bare_system.gateway) as person:
        rates = plot(person.page, "Calls and frames a second")
        await expect(rates.locator("canvas")).to_be_visible()
        await expect(rates.get_by_role("listitem").first).to_contain_text(re.compile(r"[1-9]"))
        await person.click("As tables")
        rows = rates.get_by_role("row")
        before = await rows.count()
        assert before > 1
        await expect(rows.nth(before)).to_be_visible()  # one more has come
        await person.click("Users", "link")
        await expect(person.page.get_by_label("Search users")).to_be_visible()
        await person.click("System", "link")
        await person.click("As tables")
        await expect(rows.nth(before)).to_be_visible()  # those from before are still there


async def test_nothing_is_asked_while_nobody_looks_and_that_is_a_gap(
    open_console: OpenConsole, bare_system: System, administrator: User
) -> None:
    async with open_console(administrator, "parts", gateway=bare_system.gateway) as person:
        queue = plot(person.page, "Queue")
        await expect(queue).to_contain_text("waiting 0")
        await hide(person.page, is_hidden=True)
        await person.see("Paused")
        asked: list[str] = []
        person.page.on("request", lambda request: asked.append(request.url))
        await person.page.wait_for_timeout(APART_MS + 500)
        assert [url for url in asked if "/api/parts" in url] == []
        await hide(person.page, is_hidden=False)
        await person.see("Live")
        await person.click("As tables")
        await expect(queue.get_by_role("row").filter(has_text="–").first).to_be_visible()


async def hide(page: Page, *, is_hidden: bool) -> None:
    """What the browser tells a page whose tab is not seen."""
    await page.evaluate(
        """(isHidden) => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
