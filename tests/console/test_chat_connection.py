"""A chat whose connection comes and goes: one answer for each message, and nothing lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from devstack.processes import wait_until_ready
from tests.console.chats import answers, ask, questions, session_in
from tests.console.people import KEY, OpenConsole, Person
from tests.master import Master, run_master
from tests.parts import Dictation
from tests.sql import run_sql
from tests.system import System
from tests.users import PASSWORD, User, insert_user, register_user


@pytest.fixture
def place(bare_system: System) -> System:
    """An installation whose gateway a test may kill."""
    bare_system.start_router()
    bare_system.start_gateway()
    bridge = bare_system.start_bridge()
    wait_until_ready(bridge, lambda: "the router was asked about" in bridge.log.read_text())
    return bare_system


@asynccontextmanager
async def somebody(place: System) -> AsyncIterator[tuple[User, Master, Dictation]]:
    """A user there, and a master agent that says what it is dictated."""
    dictation = Dictation()
    with run_sql(place.settings) as sql:
        async with (
            insert_user(place, sql) as user,
            run_master(place.router_url, dictation.behave) as master,
        ):
            yield user, master, dictation


def restart_gateway(place: System) -> None:
    """Start a gateway where one was killed."""
    place.start_gateway(port=str(urlsplit(place.gateway).port))


def forgive(person: Person) -> None:
    """Chromium logs whatever it can't reach: a gateway that was killed is no fault of the page."""
    unreachable = ("net::ERR_", "WebSocket connection")  # in the middle of an answer, too
    person.errors[:] = [
        each for each in person.errors if not any(word in each for word in unreachable)
    ]


async def test_a_killed_gateway_costs_no_answer(open_console: OpenConsole, place: System) -> None:
    async with (
        somebody(place) as (user, master, dictation),
        open_console(user, "chat", gateway=place.gateway) as person,
    ):
        await ask(person, "one")
        dictation.say("The first")
        await person.see("The first")
        place.children["gateway 1"].kill()
        await person.see("it is tried again")
        dictation.say(" answer.")
        dictation.end()
        await ask(person, "two")
        await ask(person, "three")
        await person.see("Not sent yet")
        restart_gateway(place)
        dictation.say("The second answer.")
        dictation.end()
        dictation.say("The third answer.")
        dictation.end()
        told = ["The first answer.", "The second answer.", "The third answer."]
        await expect(answers(person.page)).to_have_text(told)
        await expect(questions(person.page)).to_have_text(["one", "two", "three"])
        await person.page.reload()
        await expect(answers(person.page)).to_have_text(told)
        assert len(await user.history(session_in(person.page))) == 6
        assert len(master.invocations) == 3
        forgive(person)


async def test_what_was_not_sent_is_sent_after_a_reload(
    open_console: OpenConsole, place: System
) -> None:
    async with (
        somebody(place) as (user, master, dictation),
        open_console(user, "chat", gateway=place.gateway) as person,
    ):
        await ask(person, "one")
        await person.see("Working on it …")
        place.children["gateway 1"].kill()
        await ask(person, "two")
        await person.see("Not sent yet")
        restart_gateway(place)
        await person.page.reload()
        for told in ("First.", "Second."):
            dictation.say(told)
            dictation.end()
        await expect(questions(person.page)).to_have_text(["one", "two"])
        await expect(answers(person.page)).to_have_text(["First.", "Second."])
        kept = "Object.keys(sessionStorage).filter((key) => key.startsWith('genai.unsent.'))"
        await person.page.wait_for_function(f"{kept}.length === 0")
        assert len(await user.history(session_in(person.page))) == 4
        assert len(master.invocations) == 2
        forgive(person)


async def test_a_view_that_could_not_be_loaded_comes_when_the_gateway_is_back(
    open_console: OpenConsole, place: System
) -> None:
    async with (
        somebody(place) as (user, _, _),
        open_console(user, "chat", gateway=place.gateway) as person,
    ):
        await person.see_view()
        place.children["gateway 1"].kill()
        await person.see("it is tried again")
        await person.click("Models", "link")
        alert = person.page.locator("main").get_by_role("alert")
        await expect(alert).to_contain_text("The gateway can't be reached.")
        restart_gateway(place)
        await expect(person.page.get_by_role("heading", name="Models")).to_be_visible()
        await expect(alert).to_have_count(0)
        forgive(person)


async def test_a_token_that_is_over_signs_out(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    async with open_console(user, "chat") as person:
        await ask(person, "one")
        await expect(answers(person.page)).to_have_text(["echo: one"])
        known = (await user.http.get("/api/sessions/sign-ins")).json()
        for each in known["sign_ins"]:
            await user.http.delete(f"/api/sessions/sign-ins/{each['id']}")
        await person.see("Your sign-in has ended. Please sign in again.")
        person.errors.clear()  # Chromium logs each 401


async def test_a_token_that_is_over_is_renewed(
    open_console: OpenConsole, system: System, master: Master
) -> None:
    async with register_user(system.gateway) as user, open_console(view="chat") as person:
        await user.create_config()
        await person.fill("Name", user.name)
        await person.fill("Password", PASSWORD)
        await person.click("Sign in")
        await ask(person, "one")
        await expect(answers(person.page)).to_have_text(["echo: one"])
        await person.page.evaluate(
            """
            (key) => {
                const tokens = JSON.parse(localStorage.getItem(key));
                localStorage.setItem(key, JSON.stringify({ ...tokens, access: "over" }));
            }
            """,
            KEY,
        )
        await person.page.reload()
        await ask(person, "two")
        await expect(answers(person.page)).to_have_text(["echo: one", "echo: two"])
        person.errors.clear()  # Chromium logs each 401, and handshakes that are refused
    assert len(master.invocations) == 2
