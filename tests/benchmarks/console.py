"""The console in Chromium: how soon its first view is seen, and how smoothly long lists scroll."""

from collections.abc import AsyncIterator
from statistics import median
from time import perf_counter

from playwright.async_api import Browser, expect

from tests.benchmarks.installation import Bench
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.results import Row, Target, at_most
from tests.chromium import run_chromium
from tests.console.chats import answers, insert_chat
from tests.console.people import opening
from tests.console.test_chat_scrolling import CHATS, TEXT, TURNS, scroll
from tests.sql import run_sql
from tests.users import User, register_user

ROUNDS = 5
STEP_PX, STEPS = 900, 60

SIGN_IN, CHAT = "the page for signing in is seen", "the chats of who has signed in are seen"
MESSAGES, LIST = "10,000 messages: the longest frame", "2,000 chats: the longest frame"
TARGETS: dict[str, Target] = {
    SIGN_IN: at_most(1),
    CHAT: at_most(1),
    MESSAGES: at_most(100),
    LIST: at_most(100),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Seconds until a view is there, with nothing kept by the browser; frames by the clock."""
    system = bench.start().system
    gateway = system.gateways[0]
    async with run_chromium() as browser, register_user(gateway) as user:
        await user.create_config()
        with run_sql(system.settings) as sql:
            texts = [TEXT.replace("{n}", str(number)) for number in range(TURNS)]
            session_id = insert_chat(sql, user, "long", texts)
            for number in range(CHATS):
                insert_chat(sql, user, f"Chat {number}")
        yield Row(SIGN_IN, await _seen(browser, gateway, None, "Password"), "s")
        yield Row(CHAT, await _seen(browser, gateway, user, f"Chat {CHATS - 1}"), "s")
        async with opening(browser, gateway, user, f"chat/{session_id}") as person:
            await expect(answers(person.page).last).to_contain_text(f"Part {TURNS - 1}")
            smooth = await scroll(person.page, ".chat-messages", -STEP_PX, STEPS)
            if smooth.blank:
                raise WrongAnswerError("nothing was seen while it scrolled")
            yield Row(MESSAGES, smooth.waited, "ms")
            smooth = await scroll(person.page, ".chat-list", STEP_PX, STEPS)
            yield Row(LIST, smooth.waited, "ms")


async def _seen(browser: Browser, gateway: str, user: User | None, text: str) -> float:
    """Seconds from the address to this text, of some browsers that were never here."""
    taken = []
    for _ in range(ROUNDS):
        began = perf_counter()
        async with opening(browser, gateway, user, "chat") as person:
            await person.see(text)
            taken.append(perf_counter() - began)
    return median(taken)
