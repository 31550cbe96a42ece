"""MCP servers and A2A agents at the console."""

import re

from playwright.async_api import expect

from tests.console.people import OpenConsole
from tests.gateway.outsiders import answering, card_app, listing, make_card, serving
from tests.users import User

GOOD = {
    "name": "forecast",
    "description": "Tells <b>the weather</b> of a city.",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Which one."}},
        "required": ["city"],
    },
}
BAD = {"name": "nameless", "description": 5}


async def test_an_mcp_server_is_added_with_its_tools(open_console: OpenConsole, user: User) -> None:
    async with serving(listing(GOOD, BAD)) as outsider, open_console(user, "servers") as person:
        await person.click("Add a server")
        await person.fill("Address", "somewhere")
        await person.click("Look it up")
        address = person.page.get_by_label("Address")
        await expect(address).to_have_accessible_description(re.compile("The URL must begin with"))
        person.forgive(400)
        await person.fill("Address", f"{outsider.url}/mcp")
        await person.click("Look it up")
        await expect(person.page.get_by_role("heading", name="outsider")).to_be_visible()
        await person.see("Tells <b>the weather</b> of a city.")
        await person.see("string · Which one.")
        await person.see("1 left out")
        await person.see("nameless")

        outsider.app = listing({**GOOD, "name": "warnings"})
        await person.click("Try it")
        await person.see("It answers, and is as up to date as it can be.")
        await person.see("warnings")

        outsider.app = answering({}, 401)
        await person.click("Try it")
        await person.see("Could not access MCP server")
        person.forgive(400)
        await person.click("Delete")
        await person.confirm("Delete")
        await person.see("No server yet")


async def test_what_a_server_is_sent_is_changed_and_not_shown(
    open_console: OpenConsole, user: User
) -> None:
    async with serving(listing(GOOD)) as outsider:
        new = {
            "server_url": f"{outsider.url}/mcp",
            "headers": {"X-Api-Key": "secret", "X-Old": "o"},
        }
        made = (await user.http.post("/api/mcp/servers", json=new)).json()
        async with open_console(user, f"servers/mcp/{made['id']}") as person:
            await person.click("What it is sent")
            await person.click("Remove X-Old")
            await person.click("Add one")
            await person.fill("Headers: name 2", "Host")
            await person.fill("Headers: value 2", "elsewhere")
            await person.click("Look it up")
            await person.see("Must not hold Host: it is set for each call")
            person.forgive(400)
            await person.fill("Headers: name 2", "X-New")
            await person.click("Look it up")
            await person.see("X-Api-Key, X-New")
            assert "secret" not in await person.page.content()


async def test_an_a2a_agent_is_added_with_its_skills(open_console: OpenConsole, user: User) -> None:
    async with serving(card_app(make_card())) as outsider, open_console(user, "servers") as person:
        await person.click("Add a server")
        await person.page.get_by_label("A2A agent").check()
        await person.fill("Address", outsider.url)
        await person.click("Look it up")
        await expect(person.page.get_by_role("heading", name="My_Agent")).to_be_visible()
        await person.see("1 skill")
        await person.see("Does one thing.")
