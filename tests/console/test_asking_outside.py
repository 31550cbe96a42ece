"""Tools of MCP servers and A2A agents, asked themselves at the console."""

import asyncio
from base64 import b64decode

from mcp.server.mcpserver import Image, MCPServer
from playwright.async_api import expect
from starlette.applications import Starlette

from devstack.sample_a2a_agent import make_agent
from tests.console.people import OpenConsole
from tests.gateway.outsiders import answering, running, serving
from tests.gateway.shapes import good
from tests.users import User

PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = "<img src=x onerror=alert(1)>"


def make_server() -> tuple[MCPServer, asyncio.Event]:
    """A server, and what lets its slow tool answer."""
    server, may_answer = MCPServer("outsider", log_level="CRITICAL"), asyncio.Event()

    @server.tool(description="Adds numbers")
    async def add(a: int, b: int = 2) -> int:
        await may_answer.wait()
        return a + b

    @server.tool(description="Draws", structured_output=False)
    async def draw(what: str) -> list[str | Image]:
        return [f"{HOSTILE} is {what}", Image(data=PIXEL, format="png")]

    return server, may_answer


async def test_a_tool_is_asked_by_a_form_of_its_schema(
    open_console: OpenConsole, user: User
) -> None:
    server, may_answer = make_server()
    async with running(server) as [app], serving(app) as outsider:
        new = {"server_url": f"{outsider.url}/mcp"}
        added = good(await user.http.post("/api/mcp/servers", json=new))
        async with open_console(user, f"servers/mcp/{added['id']}") as person:
            await person.page.get_by_role("link", name="Ask it add").click()
            await person.click("Ask")
            await person.see("This is required.")
            await person.page.get_by_label("a", exact=True).fill("40")
            await person.click("Ask")
            await person.see("Under way")
            may_answer.set()
            answer = person.page.get_by_role("region", name="Answer")
            await expect(answer.locator(".asked-answer")).to_have_text("42")
            await expect(answer).to_contain_text("Answered")
            await person.page.get_by_text("As data").click()
            await person.see('"result": 42')

            outsider.app = answering({}, 401)
            await person.click("Ask")
            await person.see("It answers 401 Unauthorized: it wants to know who asks")
            person.forgive(502)


async def test_what_a_tool_answers_is_shown_as_text_and_pictures(
    open_console: OpenConsole, user: User
) -> None:
    server, _ = make_server()
    async with running(server) as [app], serving(app) as outsider:
        new = {"server_url": f"{outsider.url}/mcp"}
        added = good(await user.http.post("/api/mcp/servers", json=new))
        tools = good(await user.http.get(f"/api/mcp/servers/{added['id']}"))["mcp_tools"]
        [draw] = [each["id"] for each in tools if each["name"] == "draw"]
        async with open_console(user, f"agents/{draw}?kind=mcp&tab=ask") as person:
            await person.page.get_by_label("what").fill("harmless")
            await person.click("Ask")
            await person.see(f"{HOSTILE} is harmless")
            image = person.page.get_by_alt_text("An image that it has answered")
            await expect(image).to_have_js_property("naturalWidth", 1)


async def test_an_a2a_agent_is_asked_by_a_text(open_console: OpenConsole, user: User) -> None:
    async with serving(Starlette()) as outsider:
        outsider.app = make_agent(outsider.url)
        added = good(await user.http.post("/api/a2a/agents", json={"server_url": outsider.url}))
        async with open_console(user, f"servers/a2a/{added['id']}") as person:
            await person.page.get_by_role("link", name="Ask it").click()
            await person.page.get_by_label("text").fill("It is 9:00 a.m.")
            await person.click("Ask")
            await person.see("Good morning! It is 9:00 a.m.")
            await person.see("Answered")
