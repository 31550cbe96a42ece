"""Requests that are watched and cancelled at the console."""

from playwright.async_api import expect

from tests.asked import agent_that, saying
from tests.console.people import OpenConsole
from tests.gateway.shapes import good
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import User

HOSTILE = '<img src=x onerror="document.title=1">'


async def test_a_request_is_seen_as_it_goes_on_and_cancelled(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with (
        agent_that(system, user) as (visitor, agent),
        open_console(user, "requests") as person,
    ):
        await person.see("No requests yet")
        url = f"/api/agents/{agent['id']}/invoke"
        asked = await user.http.post(url, params={"wait": 0}, json={"message": "hello"})
        request_id = asked.json()["request_id"]
        await visitor.next_invocation()
        entry = person.page.locator(f'a[href="#/requests/{request_id}"]')
        await expect(entry).to_contain_text("Running")
        await entry.click()
        steps = person.page.locator(".requests-steps")
        await expect(steps).to_contain_text("Accepted")
        await expect(steps).to_contain_text("Marked as sent")
        await person.click("Cancel it")
        await expect(steps).to_contain_text("Cancelled")
        await expect(person.page.get_by_role("button", name="Cancel it")).to_have_count(0)
    assert good(await user.http.get(f"/api/requests/{request_id}"))["status"] == "cancelled"


async def test_an_answered_request_shows_its_log_and_its_answer(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log("Thinking about it")
        return answer("It is five")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("What is the time?")
        frame = await chat.receive_answer()
    async with open_console(user, f"requests/{frame['response']['request_id']}") as person:
        await person.see("Answered")
        await person.see("Thinking about it")
        await person.see("It is five")
        link = person.page.get_by_role("link", name="To its chat")
        session_id = frame["response"]["session_id"]
        await expect(link).to_have_attribute("href", f"#/chat/{session_id}")


async def test_what_agents_log_and_answer_is_text_whatever_it_says(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log(f"logged {HOSTILE}")
        return answer(f"answered {HOSTILE}")

    master.behave = behave
    async with user.chat() as chat:
        frame = await chat.ask(HOSTILE)
    async with open_console(user, "requests") as person:
        await person.see("<img src=x")
        await person.open(f"requests/{frame['response']['request_id']}")
        await person.see(f"logged {HOSTILE}")
        await person.see(f"answered {HOSTILE}")
        assert await person.page.locator("#view img").count() == 0


async def test_an_agents_requests_and_log_are_shown_with_it(
    open_console: OpenConsole, user: User, system: System
) -> None:
    async with agent_that(system, user, saying(str.upper)) as (_, agent):
        url = f"/api/agents/{agent['id']}/invoke"
        good(await user.http.post(url, json={"message": "hello"}))
        async with open_console(user, f"agents/{agent['id']}?tab=requests") as person:
            await person.see("Answered")
            await person.page.get_by_role("tab", name="Log").click()
            await person.see("Nothing was logged.")
