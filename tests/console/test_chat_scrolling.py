"""Long chats and many of them: what is scrolled through is drawn at once."""

import asyncio

from attrs import frozen
from playwright.async_api import Page, Route, expect

from tests.console.chats import answers, ask, insert_chat
from tests.console.people import OpenConsole
from tests.master import Master
from tests.sql import Sql
from tests.users import User

TURNS = 5000  # 10,000 messages
CHATS = 2000
FRAME_MS = 100.0  # which no frame may take of the processor
TEXT = """
## Part {n}

Some **words** about `code {n}`, and [a link](https://example.com/{n}).

| one | two |
| --- | --- |
| {n} | x |

```python
print({n})
```
"""
# Scrolls, and tells how long the two frames took in which that is drawn, in ms, and whether
# something was seen in the second.
STEP = """
async ([selector, step]) => {
    const box = document.querySelector(selector);
    const frame = () => new Promise(requestAnimationFrame);
    const began = await frame();
    box.scrollTop += step;
    const first = await frame();
    const second = await frame();
    const { top, bottom } = box.getBoundingClientRect();
    const isSeen = [...box.querySelectorAll(".virtual-item")].some((row) => {
        const place = row.getBoundingClientRect();
        return place.bottom > top && place.top < bottom;
    });
    return [Math.max(first - began, second - first), isSeen];
}
"""


TOP = "(element) => element.getBoundingClientRect().top"


@frozen
class Smoothness:
    """The most that a step of scrolling took: of the processor, and of the clock, in ms.

    On a busy machine only the first is the page's own.
    """

    worked: float
    waited: float
    blank: int


async def scroll(page: Page, selector: str, step: int, steps: int) -> Smoothness:
    """Scroll by so many px so many times."""
    tools = await page.context.new_cdp_session(page)
    await tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    async def read_clock() -> float:
        told = await tools.send("Performance.getMetrics")
        metrics = {each["name"]: float(each["value"]) for each in told["metrics"]}
        return metrics["TaskDuration"] * 1000

    worked, waited, blank = [0.0], [0.0], 0
    before = await read_clock()
    for _ in range(steps):
        longest, is_seen = await page.evaluate(STEP, [selector, step])
        now = await read_clock()
        worked.append(now - before)
        waited.append(longest)
        blank += not is_seen
        before = now
    await tools.detach()
    found = Smoothness(max(worked), max(waited), blank)
    print(f"{selector} by {step} px: {found}")
    return found


async def test_ten_thousand_messages_scroll_smoothly(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    texts = [TEXT.replace("{n}", str(number)) * (1 + number % 3) for number in range(TURNS)]
    session_id = insert_chat(sql, user, "long", texts)
    async with open_console(user, f"chat/{session_id}") as person:
        await expect(answers(person.page).last).to_contain_text(f"Part {TURNS - 1}")
        box = person.page.locator(".chat-messages")
        oldest = person.page.get_by_text("Question 1", exact=True)
        while not await oldest.count():  # pages of history come as one scrolls up
            smooth = await scroll(person.page, ".chat-messages", -50_000, 10)
            assert smooth.worked < FRAME_MS
        await expect(oldest).to_be_attached()
        assert await person.page.locator(".chat-turn").count() < 60
        smooth = await scroll(person.page, ".chat-messages", 900, 60)
        assert smooth.worked < FRAME_MS
        assert smooth.blank == 0
        await box.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        await expect(answers(person.page).last).to_contain_text(f"Part {TURNS - 1}")


async def test_two_thousand_chats_scroll_smoothly(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    sql(
        """
        INSERT INTO chatconversations (session_id, title, creator_id, created_at, updated_at)
        SELECT gen_random_uuid(), 'Chat ' || n, %s, now() - n * interval '1 minute',
               now() - n * interval '1 minute'
        FROM generate_series(1, %s) AS n
        """,
        *(user.id, CHATS),
    )
    async with open_console(user, "chat") as person:
        await person.see("Chat 1")
        last = person.page.get_by_text(f"Chat {CHATS}", exact=True)
        while not await last.count():
            smooth = await scroll(person.page, ".chat-list", 900, 20)
            assert smooth.worked < FRAME_MS
        assert await person.page.locator(".chat-link").count() < 100


async def test_one_stays_where_one_reads(
    open_console: OpenConsole, user: User, sql: Sql, master: Master
) -> None:
    session_id = insert_chat(sql, user, "read", [f"Answer {number}" for number in range(40)])
    async with open_console(user, f"chat/{session_id}") as person:
        await expect(answers(person.page).last).to_have_text("Answer 39")
        box = person.page.locator(".chat-messages")
        read = person.page.get_by_text("Answer 25", exact=True)
        await box.evaluate("(box) => { box.scrollTop = box.scrollHeight / 2; }")
        await read.scroll_into_view_if_needed()
        before = await read.evaluate(TOP)
        height = await box.evaluate("(box) => box.scrollHeight")
        async with open_console(user, f"chat/{session_id}") as other:
            await ask(other, "news")
            await expect(answers(other.page).last).to_have_text("echo: news")
        await person.page.wait_for_function(
            "(height) => document.querySelector('.chat-messages').scrollHeight > height", arg=height
        )
        assert abs(await read.evaluate(TOP) - before) < 2
        await person.click("To the newest message")
        await expect(answers(person.page).last).to_have_text("echo: news")
        at_end = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2"
        await ask(person, "more\n\n" * 40)
        await expect(answers(person.page).last).to_contain_text("echo: more")
        assert await box.evaluate(at_end)


async def test_a_page_of_history_moves_nothing(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    session_id = insert_chat(sql, user, "read", [f"Answer {number}" for number in range(200)])
    async with open_console(user, f"chat/{session_id}") as person:
        await expect(answers(person.page).last).to_have_text("Answer 199")
        is_read = asyncio.Event()

        async def hold(route: Route) -> None:
            await is_read.wait()
            await route.continue_()

        await person.page.route("**/api/chat?*", hold)
        box = person.page.locator(".chat-messages")
        height = await box.evaluate("(box) => { box.scrollTop = 300; return box.scrollHeight; }")
        read = person.page.get_by_text("Answer 173", exact=True)
        before = await read.evaluate(TOP)
        is_read.set()
        await person.page.wait_for_function(
            "(height) => document.querySelector('.chat-messages').scrollHeight > height + 1000",
            arg=height,
        )
        assert abs(await read.evaluate(TOP) - before) < 2
