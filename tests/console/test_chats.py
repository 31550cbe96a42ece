"""All chats at the left: found, renamed, deleted, exported; a drawer where there is little room."""

import json
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.console.chats import answers, insert_chat
from tests.console.looks import find_faults
from tests.console.people import OpenConsole
from tests.sql import Sql
from tests.users import User


async def test_a_chat_is_renamed_and_deleted(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    session_id = insert_chat(sql, user, "old name", ["An answer"])
    insert_chat(sql, user, "another", ["Another answer"])
    async with open_console(user, "chat") as person:
        await person.click("old name", "link")
        await expect(answers(person.page)).to_have_text("An answer")
        await person.click("Rename")
        await person.fill("Title", "")
        await person.click("Save")
        await person.see("Please fill this in.")
        await person.fill("Title", "new name")
        await person.click("Save")
        await expect(person.page.get_by_role("heading", name="new name")).to_be_visible()
        await person.click("another", "link")
        await expect(answers(person.page)).to_have_text("Another answer")
        await person.click("new name", "link")
        await person.click("Delete")
        await person.see("Delete “new name”?")
        await person.click("Cancel")
        await expect(answers(person.page)).to_have_text("An answer")
        await person.click("Delete")
        await person.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await person.see("What would you like to know?")
        await expect(person.page.get_by_role("link", name="new name")).to_have_count(0)
    assert await user.history(session_id) == []


async def test_a_hit_of_the_search_leads_to_its_message(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    texts = [f"Answer {number}" for number in range(300)]
    texts[20] = "The word that is looked for is quetzal, a bird"
    session_id = insert_chat(sql, user, "birds", texts)
    insert_chat(sql, user, "others", ["Nothing of that"])
    async with open_console(user, "chat") as person:
        await person.fill("Search all chats", "quetzal")
        hit = person.page.get_by_role("list", name="Messages that were found").get_by_role("link")
        await expect(hit).to_have_count(1)
        await expect(hit.locator("mark")).to_have_text("quetzal")
        await hit.click()
        await person.page.wait_for_url(f"**#/chat/{session_id}?message=*")
        await expect(person.page.locator(".chat-turn.is-found")).to_contain_text("quetzal, a bird")
        await expect(person.page.locator(".chat-turn.is-found")).to_be_in_viewport()
        await person.fill("Search all chats", "nowhere")
        await person.see("Nothing was found.")
        await person.fill("Search all chats", "")
        await expect(person.page.get_by_role("link", name="others", exact=True)).to_be_visible()


async def test_a_chat_is_exported(
    open_console: OpenConsole, user: User, sql: Sql, tmp_path: Path
) -> None:
    session_id = insert_chat(sql, user, "birds", ["One *answer*", "Two"])
    async with open_console(user, f"chat/{session_id}") as person:
        await expect(answers(person.page)).to_have_count(2)
        for button, name in (("Markdown", "birds.md"), ("JSON", "birds.json")):
            await person.click("Export")
            async with person.page.expect_download() as download:
                await person.click(button)
            assert (await download.value).suggested_filename == name
            await (await download.value).save_as(tmp_path / name)
    told = (tmp_path / "birds.md").read_text()
    assert told.startswith("# birds\n\n## You, ")
    assert told.index("Question 1") < told.index("One *answer*") < told.index("Question 2")
    messages = json.loads((tmp_path / "birds.json").read_text())["messages"]
    assert [each["text"] for each in messages] == [
        "Question 1",
        "One *answer*",
        "Question 2",
        "Two",
    ]


async def test_chats_are_a_drawer_where_there_is_little_room(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    insert_chat(sql, user, "somewhere", ["An answer"])
    size = {"width": 360, "height": 740}
    async with open_console(user, "chat", viewport=size) as person:
        link = person.page.get_by_role("link", name="somewhere")
        await expect(link).to_be_hidden()
        await person.click("Show chats")
        await expect(link).to_be_visible()
        await person.page.keyboard.press("Escape")
        await expect(link).to_be_hidden()
        await person.click("Show chats")
        await link.click()
        await expect(answers(person.page)).to_have_text("An answer")
        await expect(link).to_be_hidden()


async def test_an_address_of_no_chat_shows_an_empty_one(
    open_console: OpenConsole, user: User
) -> None:
    async with open_console(user, "chat/no-such-thing") as person:
        await person.see("What would you like to know?")


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_a_chat(
    open_console: OpenConsole, user: User, sql: Sql, colours: Literal["light", "dark"]
) -> None:
    text = "# A title\n\n> said\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```js\n1;\n```\n\n[a](https://a.b)"
    step = {"name": "step", "input": {"a": 1}, "execution_time": 1.5, "is_success": False}
    session_id = insert_chat(sql, user, "all", [text], agents_trace=[step], is_success=False)
    async with open_console(
        user, f"chat/{session_id}", color_scheme=colours, bypass_csp=True
    ) as person:
        await person.page.get_by_text("1 step", exact=True).click()
        await person.page.locator(".chat-step").click()
        for width in (360, 1280):
            await person.page.set_viewport_size({"width": width, "height": 800})
            wide = await person.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width
            assert await find_faults(person) == []
