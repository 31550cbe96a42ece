"""The console's first page."""

from tests.console.people import OpenConsole
from tests.system import System
from tests.users import PASSWORD, register_user


async def test_one_signs_in_by_name_and_password(open_console: OpenConsole, system: System) -> None:
    async with register_user(system.gateway) as user, open_console(view="agents") as person:
        await person.fill("Name", user.name)
        await person.fill("Password", PASSWORD)
        await person.click("Sign in")
        await person.see("Agents")
