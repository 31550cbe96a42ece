"""Agents that are connected, seen, asked and lent to others at the console."""

import json
from typing import Any

from playwright.async_api import FilePayload, expect

from tests.agents.running import AGENT_DESCRIPTION, AGENT_NAME, run_agent
from tests.asked import agent_that
from tests.console.people import OpenConsole, Person
from tests.end_to_end.doors.visitors import REGISTER, Visitor, answer_to, log_frame, visiting
from tests.gateway.shapes import good
from tests.system import System
from tests.users import Json, User

HOSTILE = '<img src=x onerror="document.title=1">'
EVERYTHING: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": "integer", "minimum": 1},
        "scale": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "exact": {"type": "boolean"},
        "unit": {"enum": ["metric", "imperial"]},
        "stops": {"type": "array", "items": {"type": "string"}},
        "address": {"$ref": "#/$defs/Address"},
        "anything": {},
    },
    "required": ["city", "days", "exact"],
    "$defs": {
        "Address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
            "required": ["street"],
        }
    },
}


async def test_a_new_agent_is_waited_for_until_it_comes_and_when_it_has_gone(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with open_console(user, "agents/new") as person:
        await person.click("Register")
        await person.see("Waiting for the agent …")
        token = await person.page.locator(".agents-token code").inner_text()
        lines = await person.page.locator(".agents-lines-part pre").last.inner_text()
        assert f"export AGENT_JWT_TOKEN={token}" in lines
        assert f"export BACKEND_API_BASE_URL={system.gateway}" in lines
        with run_agent(system, "2.0", token, "seal"):
            await person.see(f"{AGENT_NAME} is connected")
            await person.see(AGENT_DESCRIPTION)
        await person.see("The agent has gone. Waiting for it …")


async def test_the_list_shows_who_comes_and_who_goes(
    open_console: OpenConsole, user: User, system: System
) -> None:
    registered = await user.register_agent("visitor", "comes and goes")
    async with open_console(user, "agents") as person:
        card = person.page.get_by_role("link").filter(has_text="comes and goes")
        await expect(card).to_contain_text("Inactive")
        async with visiting(system.router_url, X_Custom_Authorization=registered["jwt"]) as visitor:
            await visitor.say(REGISTER)
            await expect(card).to_contain_text("Active")
        await expect(card).to_contain_text("Inactive")


async def test_an_agent_is_asked_by_a_form_of_its_schema(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with (
        agent_that(system, user, schema=EVERYTHING) as (visitor, agent),
        open_console(user, f"agents/{agent['id']}?tab=ask") as person,
    ):
        await person.click("Ask")
        await expect(person.page.get_by_text("This is required.")).to_have_count(3)
        await _fill_everything(person)
        await person.click("Ask")
        called = await visitor.next_invocation()
        assert called["request_payload"] == {
            "city": "Kyiv",
            "days": 3,
            "exact": False,
            "unit": "imperial",
            "stops": ["Lviv", "Odesa"],
            "address": {"street": "Khreshchatyk"},
            "anything": {"deep": [1]},
        }
        await _log(visitor, called, "Looking at the sky")
        await person.see("Looking at the sky")  # before there is an answer
        await visitor.say(answer_to(called, "It rains."))
        await person.see("It rains.")


async def _fill_everything(person: Person) -> None:
    field = person.page.locator
    await field("[name=city]").fill("Kyiv")
    await field("[name=days]").fill("0")
    await field("[name=exact]").select_option("No")
    await field("[name=unit]").select_option("imperial")
    for at, stop in enumerate(("Lviv", "Odesa")):
        await person.click("Add to stops")
        await field(f'[name="stops.{at}"]').fill(stop)
    await field('[name="address.street"]').fill("Khreshchatyk")
    await field("[name=anything]").fill('{"deep": [1')
    await person.click("Ask")
    await person.see("At least 1.")
    await person.see("This is no JSON")
    await field("[name=days]").fill("3")
    await field("[name=anything]").fill('{"deep": [1]}')


async def _log(visitor: Visitor, called: Json, text: str) -> None:
    metadata = called["request_metadata"]
    await visitor.say(log_frame(text, metadata["request_id"], metadata["session_id"]))


async def test_what_it_is_asked_may_be_typed_as_json_and_its_error_is_told(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with (
        agent_that(system, user) as (visitor, agent),
        open_console(user, f"agents/{agent['id']}?tab=ask") as person,
    ):
        await person.click("As JSON")
        await person.fill("Arguments as JSON", json.dumps({"text": "a", "others": [1]}))
        note: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"read me"}
        await person.page.get_by_label("Files").set_input_files(note)
        await person.click("Ask")
        called = await visitor.next_invocation()
        assert called["request_payload"] == {"text": "a", "others": [1]}
        [file] = good(await user.http.get("/user/files/metadata"))
        assert file["request_id"] == called["request_metadata"]["request_id"]
        await person.page.get_by_role("tab", name="Overview").click()  # and it goes on
        error = {"error_message": "No others here", "error_type": "AgentGeneralError"}
        invoked_by = called["invoked_by"]
        await visitor.say({"message_type": "agent_error", "error": error, "invoked_by": invoked_by})
        await person.page.get_by_role("tab", name="Ask it").click()
        await person.see("No others here")
        await person.see("Failed")


async def test_names_and_descriptions_are_text_whatever_they_say(
    open_console: OpenConsole, user: User
) -> None:
    schema = {"type": "object", "properties": {HOSTILE: {"type": "string", "description": HOSTILE}}}
    new = {"name": HOSTILE, "description": HOSTILE, "input_parameters": schema}
    agent = good(await user.http.post("/api/agents/register", json=new))
    async with open_console(user, "agents") as person:
        await person.see(HOSTILE)
        for tab in ("overview", "ask"):
            await person.open(f"agents/{agent['id']}?tab={tab}")
            await person.see(HOSTILE)
        assert await person.page.locator("#view img").count() == 0
        assert await person.page.title() != "1"


async def test_an_owner_edits_an_agent_gives_it_a_token_and_deletes_it(
    open_console: OpenConsole, user: User
) -> None:
    agent = await user.register_agent("plain", "does little")
    async with open_console(user, f"agents/{agent['id']}") as person:
        await person.click("Edit")
        await person.fill("Description", "does much")
        await person.fill("Schema", "{")
        await person.click("Save")
        await person.see("This is no JSON")
        await person.fill("Schema", json.dumps({"type": "object", "properties": {}}))
        await person.click("Save")
        await person.see("does much")
        await person.click("New token")
        await person.click("Issue the token")
        token = await person.page.locator(".agents-token code").inner_text()
        assert token != agent["jwt"]
        assert (await user.read_agent(agent["id"]))["agent_jwt"] == token
        await person.click("I have kept it")
        await person.click("Delete")
        await person.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await person.see("No agents yet")
    assert good(await user.http.get("/api/agents")) == []


async def test_an_agent_is_published_and_shared_with_a_group(
    open_console: OpenConsole, user: User
) -> None:
    agent = await user.register_agent("helper", "helps")
    group = good(await user.http.post("/api/groups", json={"name": "Weather team"}))
    async with open_console(user, f"agents/{agent['id']}") as person:
        await person.click("Publish")
        dialog = person.page.get_by_role("dialog")
        await dialog.get_by_label("Alias").fill("Not so")
        await dialog.get_by_role("button", name="Publish").click()
        await person.see("Must have small letters")
        person.errors.clear()  # a browser logs what is refused
        await dialog.get_by_label("Alias").fill(f"helper-{agent['id']}")
        await dialog.get_by_role("button", name="Publish").click()
        await person.see(f"/a2a/helper-{agent['id']}")
        await dialog.get_by_role("button", name="Close").click()
        await person.click("Share")
        await dialog.get_by_role("button", name="Share").click()
        await expect(dialog.get_by_role("button", name="End sharing")).to_be_visible()
    [share] = good(await user.http.get(f"/api/groups/{group['id']}/shares"))
    assert share["target_id"] == agent["id"]
    published: list[Any] = good(await user.http.get("/api/publications"))
    assert [each["id"] for each in published] == [agent["id"]]
