"""Flows that are made by dragging, changed by keyboard, and run, at the console."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, expect

from devstack.addresses import GREETER_PATH, TOOLS_PATH
from devstack.processes import HOST, free_port, wait_until_ready
from tests.agents.running import Contract, run_master_agent
from tests.asked import agent_that, create_flow, saying
from tests.console.people import OpenConsole, Person
from tests.end_to_end.doors.visitors import until_active
from tests.gateway.members import insert_agent
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System, read_status
from tests.users import User

PICTURE = ".flows-picture"
HOSTILE = "<img/src=x/onerror=document.title=1>"


@pytest.fixture(scope="module")
def samples(system: System) -> Iterator[str]:
    """The URL of the local stack's MCP server and A2A agent."""
    port = str(free_port())
    url = f"http://{HOST}:{port}"
    child = system.start("samples", "devstack.samples", {"SAMPLES_PORT": port})
    wait_until_ready(child, lambda: read_status(url) is not None)
    yield url
    child.stop()


@pytest.fixture
def form(sql: Sql) -> Iterator[Contract]:
    """One that runs flows; the master agents of other tests know another one."""
    yield "lookup"
    sql("UPDATE router_session SET master_form = NULL")


async def test_a_flow_of_three_kinds_is_made_by_dragging_and_run(
    open_console: OpenConsole, user: User, system: System, samples: str, form: Contract
) -> None:
    good(await user.http.post("/api/mcp/servers", json={"server_url": samples + TOOLS_PATH}))
    good(await user.http.post("/api/a2a/agents", json={"server_url": samples + GREETER_PATH}))
    react = saying(lambda text: f"{text}: it is 19:05")
    async with (
        agent_that(system, user, react) as (_, agent),
        open_console(user, "flows/new") as person,
    ):
        alias = (await user.read_agent(agent["id"]))["agent_name"]
        await _drag_in(person, "Greeter")
        await _drag_in(person, "twelve_hours", before="Greeter")
        await _drag_in(person, alias, before="twelve_hours")
        await _drag(person, _box(person, "Greeter"), before=_box(person, alias))
        await expect(_names(person)).to_have_text(["Greeter", alias, "twelve_hours"])
        later = person.page.get_by_role("button", name="Move 1 Greeter later")
        await later.focus()
        await person.page.keyboard.press("Enter")
        await expect(_names(person)).to_have_text([alias, "Greeter", "twelve_hours"])
        await person.page.keyboard.press("Enter")  # the button has the focus still
        await expect(_names(person)).to_have_text([alias, "twelve_hours", "Greeter"])
        await person.fill("Name", "hello")
        await person.fill("Description", "Greets")
        await person.click("Create the flow")
        await person.see("Run it")
        with run_master_agent(system, form):
            await person.fill("Message", "hello there")
            await person.click("Run it")
            done = person.page.locator(PICTURE).get_by_text("Done")
            await expect(done).to_have_count(3)
            answer = person.page.locator(".asked-answer")
            await expect(answer).to_contain_text("Good evening!")
            await expect(answer).to_contain_text("7:05 p.m.")
    [flow] = good(await user.http.get("/api/agentflows"))
    assert [member["type"] for member in flow["flow"]] == ["genai", "mcp", "a2a"]


async def test_the_same_member_comes_twice_and_is_asked_twice(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with (
        agent_that(system, user, saying(lambda text: f"{text}!")) as (_, agent),
        open_console(user, "flows/new") as person,
    ):
        alias = (await user.read_agent(agent["id"]))["agent_name"]
        await person.fill("Name", "twice")
        await person.fill("Description", "The same again")
        await person.click(f"Add {alias}")
        await person.click("Create the flow")
        await person.see("A flow has two members or more.")
        await person.click(f"Add {alias}")
        await person.click("Create the flow")
        await person.see("Run it")
        await person.fill("Message", "hello")
        await person.click("Run it")
        await expect(person.page.locator(".asked-answer")).to_have_text("hello!!")


async def test_a_flow_says_which_member_is_away(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with agent_that(system, user) as (_, agent):
        flow_id = await create_flow(user, agent["id"], agent["id"])
        async with open_console(user, f"flows/{flow_id}") as person:
            alias = (await user.read_agent(agent["id"]))["agent_name"]
            await person.see("Active")
            token = await user.http.post(f"/api/agents/{agent['id']}/token", json={})
            assert good(token)["jwt"] != agent["jwt"]
            await until_active(user, agent["id"], is_active=False)
            await person.see(f"Not there at the moment: {alias}")
            await expect(_box(person, alias).first).to_contain_text("Inactive")


async def test_names_of_flows_and_members_are_text_whatever_they_say(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    members = [insert_agent(sql, user.id, HOSTILE)] * 2
    new = {"name": HOSTILE, "description": HOSTILE, "flow": members}
    flow = good(await user.http.post("/api/agentflows/register", json=new))
    async with open_console(user, "flows") as person:
        await person.see(HOSTILE)
        await person.open(f"flows/{flow['id']}")
        await expect(_names(person)).to_have_text([HOSTILE, HOSTILE])
        assert await person.page.locator("#view img").count() == 0


def _names(person: Person) -> Locator:
    return person.page.locator(f"{PICTURE} strong")


def _box(person: Person, name: str) -> Locator:
    return person.page.locator(f"{PICTURE} [data-member]").filter(has_text=name)


async def _drag_in(person: Person, name: str, before: str | None = None) -> None:
    thing = person.page.locator(".flows-thing").filter(has_text=name)
    await _drag(person, thing, before=_box(person, before) if before else None)


async def _drag(person: Person, what: Locator, *, before: Locator | None) -> None:
    """Take it by the pointer to where a box begins, or into the empty picture."""
    await what.scroll_into_view_if_needed()
    begin = await what.bounding_box()
    assert begin
    target = before or person.page.locator(PICTURE)
    end = await target.bounding_box()
    assert end
    mouse = person.page.mouse
    await mouse.move(begin["x"] + begin["width"] / 3, begin["y"] + begin["height"] / 3)
    await mouse.down()
    await mouse.move(end["x"] + end["width"] / 4, end["y"] + end["height"] / 2, steps=5)
    await expect(person.page.locator(".flows-ghost")).to_be_visible()
    await mouse.up()
    await expect(person.page.locator(".flows-ghost")).to_have_count(0)
