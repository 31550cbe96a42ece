"""Talking in a chat: messages, answers as they are made, steps and logs, cancelling, two tabs."""

from typing import Any

from playwright.async_api import expect

from tests.console.chats import answers, ask, insert_chat, questions, session_in
from tests.console.people import OpenConsole
from tests.master import AgentError, Invocation, Master, answer
from tests.parts import Dictation
from tests.sql import Sql
from tests.system import System
from tests.users import User, register_user


async def test_a_newcomer_is_led_to_models_and_then_has_answers(
    open_console: OpenConsole, system: System, master: Master
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    async with register_user(system.gateway) as user, open_console(user, "chat") as person:
        await person.see("No model yet")
        await expect(person.page.get_by_label("Write a message")).to_be_disabled()
        await person.click("Set up a model", "link")
        await person.page.wait_for_url("**#/models")
        await user.create_config("first")
        await person.open("chat")
        await person.page.reload()
        await ask(person, "What is **new**?")
        await person.see("Working on it …")
        dictation.say("Nothing ", "is *new")
        await expect(answers(person.page)).to_have_text("Nothing is *new")
        dictation.say("*.")
        await expect(answers(person.page).locator("em")).to_have_text("new")
        dictation.end()
        await person.see("Copy answer")
        await expect(answers(person.page)).to_have_text("Nothing is new.")
        await expect(questions(person.page).locator("strong")).to_have_text("new")
        await person.page.reload()
        await expect(answers(person.page)).to_have_text("Nothing is new.")
        assert len(await user.history(session_in(person.page))) == 2


async def test_steps_and_logs_of_an_answer_are_shown(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    def step(name: str, seconds: float, **more: Any) -> dict[str, Any]:
        return {"name": name, "execution_time": seconds, "is_success": True, **more}

    async def work(invocation: Invocation) -> Any:
        await invocation.log("looking around")
        await invocation.log("that was odd", "warning")
        inner = [step("inner", 0.5, input={"a": 1}, output="<b>done</b>")]
        trace = [step("outer", 1.0, agents_trace=inner), step("next", 3.0, is_success=False)]
        return {**answer("Here it is."), "agents_trace": trace}

    master.behave = work
    async with open_console(user, "chat") as person:
        await ask(person, "Work!")
        await person.see("Here it is.")
        await person.page.get_by_text("3 steps", exact=True).click()
        await expect(person.page.locator(".chat-step-time")).to_have_text(
            ["1.0 s", "500 ms", "3.0 s"]
        )
        bars = person.page.locator(".chat-bar > span")
        places = await bars.evaluate_all(
            "(all) => all.map(({ style }) => [style.left, style.width])"
        )
        assert places == [["0%", "25%"], ["0%", "12.5%"], ["25%", "75%"]]
        await person.page.get_by_text("inner", exact=True).click()
        await person.see("<b>done</b>")
        await person.page.get_by_text("Log", exact=True).click()
        await person.see("looking around")
        await person.see("that was odd")
        await person.page.reload()
        await person.page.get_by_text("Log", exact=True).click()
        await person.see("that was odd")


async def test_a_request_is_cancelled_and_sent_again(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    async with open_console(user, "chat") as person:
        await ask(person, "Take your time")
        dictation.say("Well, ")
        await person.see("Well,")
        await person.click("Cancel")
        await person.see("cancelled")
        await expect(person.page.get_by_text("Failed", exact=True)).to_have_count(1)
        await person.click("Send again")
        await expect(questions(person.page)).to_have_text(["Take your time"] * 2)
        dictation.end()
        dictation.say("Now.")
        dictation.end()
        await expect(person.page.get_by_text("Copy answer")).to_have_count(2)
        await expect(answers(person.page).last).to_have_text("Now.")
        history = await user.history(session_in(person.page))
        assert [item["sender_type"] for item in history] == ["user", "master_agent"] * 2


async def test_what_fails_says_why(open_console: OpenConsole, user: User, master: Master) -> None:
    async def fail(_: Invocation) -> Any:
        raise AgentError("the model is on holiday")

    master.behave = fail
    async with open_console(user, "chat") as person:
        await ask(person, "Hello?")
        await person.see("the model is on holiday")
        await person.see("Send again")


async def test_without_a_master_agent_it_says_so(open_console: OpenConsole, user: User) -> None:
    async with open_console(user, "chat") as person:
        await ask(person, "Is anybody there?")
        await person.see("master agent is not connected")


async def test_the_chosen_model_answers(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    await user.create_config("other")
    async with open_console(user, "chat") as person:
        await person.page.get_by_label("Model", exact=True).select_option("config")
        await ask(person, "Who are you?")
        await expect(answers(person.page)).to_have_count(1)
        await person.page.reload()
        await ask(person, "And now?")
        await expect(answers(person.page)).to_have_count(2)
    names = [each.payload["configs"]["llm"]["config_name"] for each in master.invocations]
    assert names == ["config", "config"]


async def test_two_tabs_show_the_same(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    async with open_console(user, "chat") as one:
        await ask(one, "first")
        await expect(answers(one.page)).to_have_text(["echo: first"])
        async with open_console(user, f"chat/{session_in(one.page)}") as other:
            await expect(answers(other.page)).to_have_text(["echo: first"])
            await ask(other, "second")
            for page in (one.page, other.page):
                await expect(questions(page)).to_have_text(["first", "second"])
                await expect(answers(page)).to_have_text(["echo: first", "echo: second"])
    assert len(master.invocations) == 2


async def test_what_was_begun_is_kept(open_console: OpenConsole, user: User, sql: Sql) -> None:
    session_id = insert_chat(sql, user, "begun", ["An answer"])
    for view in ("chat", f"chat/{session_id}"):
        async with open_console(user, view) as person:
            await person.fill("Write a message", "half a sen")
            await person.page.keyboard.press("Shift+Enter")
            await person.page.keyboard.type("tence")
            await person.page.reload()
            field = person.page.get_by_label("Write a message", exact=True)
            await expect(field).to_have_value("half a sen\ntence")


async def test_an_answer_is_copied(open_console: OpenConsole, user: User, master: Master) -> None:
    async def show(_: Invocation) -> Any:
        return answer("So:\n\n```python\nprint(1 < 2)\n```")

    master.behave = show
    permissions = ["clipboard-read", "clipboard-write"]
    async with open_console(user, "chat", permissions=permissions) as person:
        await ask(person, "How?")
        await person.click("Copy answer")
        copied = "navigator.clipboard.readText()"
        assert await person.page.evaluate(copied) == "So:\n\n```python\nprint(1 < 2)\n```"
        await person.click("Copy")
        await person.see("Copied")
        assert await person.page.evaluate(copied) == "print(1 < 2)\n"


async def test_tables_stand_as_they_are_written(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    table = "| a | b | c |\n| --- | :-: | ---: |\n| 1 | 2 | 3 |"
    session_id = insert_chat(sql, user, "table", [table])
    async with open_console(user, f"chat/{session_id}") as person:
        cells = answers(person.page).locator("td")
        await expect(cells).to_have_text(["1", "2", "3"])
        sides = await cells.evaluate_all("(all) => all.map((it) => getComputedStyle(it).textAlign)")
    assert sides == ["start", "center", "right"]
