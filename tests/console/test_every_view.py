"""What holds of each view: people with screen readers, small and large screens, light and dark."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.console.looks import SIZES, find_faults
from tests.console.people import OpenConsole
from tests.sql import Sql
from tests.users import User

VIEWS = (
    *("chat", "agents", "flows", "models", "servers", "requests", "account"),
    *("parts", "users", "usage", "audit"),
)
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# No colour is between the two any more: what turns for ever has none.
SETTLED = """
    () => Promise.allSettled(document.getAnimations()
        .filter((each) => each instanceof CSSTransition).map((each) => each.finished))
"""


@pytest.fixture
def administrator(user: User, sql: Sql) -> User:
    """A user who sees all views."""
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    return user


@pytest.mark.parametrize("view", VIEWS)
async def test_it_fits_each_screen_and_axe_finds_nothing_serious(
    open_console: OpenConsole, administrator: User, view: str
) -> None:
    async with open_console(administrator, view, bypass_csp=True) as person:
        await person.see_view()
        for colours in COLOURS:
            await person.page.emulate_media(color_scheme=colours)
            await person.page.evaluate(SETTLED)
            for size, (width, height) in SIZES.items():
                await person.page.set_viewport_size({"width": width, "height": height})
                wide = await person.page.evaluate("document.getElementById('view').scrollWidth")
                assert wide <= width, (size, colours)
                assert await find_faults(person) == [], (size, colours)


@pytest.mark.parametrize("view", VIEWS)
async def test_the_keyboard_leads_to_the_view(
    open_console: OpenConsole, administrator: User, view: str
) -> None:
    async with open_console(administrator, view) as person:
        await person.see_view()
        await person.page.keyboard.press("Tab")
        await person.page.keyboard.press("Enter")  # the link that leads past the navigation
        focused = await person.page.evaluate("document.activeElement.id")
        assert focused == "view"
        assert await person.page.evaluate("location.hash") == f"#/{view}"


async def test_the_menu_of_a_small_screen_closes_by_escape_and_beside_it(
    open_console: OpenConsole, user: User
) -> None:
    small = {"width": 360, "height": 740}
    async with open_console(user, "agents", viewport=small) as person:
        menu = person.page.get_by_role("navigation", name="Main")
        await person.click("Main")
        await expect(menu).to_be_visible()
        await person.page.keyboard.press("Escape")
        await expect(menu).to_be_hidden()
        await person.click("Main")
        await expect(menu).to_be_visible()
        await person.page.mouse.click(350, 600)
        await expect(menu).to_be_hidden()
        assert await person.page.evaluate("location.hash") == "#/agents"
