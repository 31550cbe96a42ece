"""Whatever users, agents and file names say is shown as text, and never run."""

from typing import Any

from playwright.async_api import Page, expect

from tests.console.chats import answers, ask, insert_chat, questions
from tests.console.people import OpenConsole
from tests.master import Invocation, Master, answer
from tests.sql import Sql
from tests.users import User

ELSEWHERE = "https://elsewhere.example"
TRIES = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    f"<img src='{ELSEWHERE}/a.png'>",
    "<svg onload='window.ran = 1'><script>window.ran = 1</script></svg>",
    "<svg><animate onbegin='window.ran = 1' attributeName=x dur=1s>",
    "<math><mtext><style><img src=x onerror='window.ran = 1'></style></mtext></math>",
    "<iframe src='javascript:parent.ran = 1'></iframe>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "<object data='data:text/html,<script>parent.ran = 1</script>'></object>",
    "<details open ontoggle='window.ran = 1'>",
    "<form action='javascript:window.ran = 1'><button>go</button></form>",
    "<a href='javascript:window.ran = 1'>go</a>",
    "<base href='https://elsewhere.example/'>",
    "<meta http-equiv=refresh content='0;url=https://elsewhere.example/'>",
    "<style>body { display: none }</style>",
    "<link rel=stylesheet href='https://elsewhere.example/a.css'>",
    "[go](javascript:window.ran=1)",
    "[go](JaVaScRiPt:window.ran=1)",
    "[go](&#106;avascript:window.ran=1)",
    "[go](java\tscript:window.ran=1)",
    "[go](data:text/html;base64,PHNjcmlwdD5wYXJlbnQucmFuPTE8L3NjcmlwdD4=)",
    "[go](data:image/png;base64,AAAA)",
    "[go](vbscript:ran)",
    "[go](file:///etc/passwd)",
    "[go](blob:https://elsewhere.example/1)",
    "[go](#/account)",
    "[go][1]\n\n[1]: javascript:window.ran=1",
    "<javascript:window.ran=1>",
    f'[go]({ELSEWHERE}/"onmouseover="window.ran=1)',
    f'[go]({ELSEWHERE}/ "x\\" onmouseover=\\"window.ran=1")',
    f"![a picture]({ELSEWHERE}/a.png)",
    f'![x" onerror="window.ran=1]({ELSEWHERE}/a.png)',
    "![a picture](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9InBhcmVudC5yYW49MSIvPg==)",
    "![a picture](javascript:window.ran=1)",
    f"[![a picture]({ELSEWHERE}/a.png)](javascript:window.ran=1)",
    '```"><script>window.ran=1</script>\ncode <b>here</b>\n```',
    "```\n</code></pre><img src=x onerror=window.ran=1>\n```",
    "`<img src=x onerror=window.ran=1>`",
    "| <script>window.ran=1</script> | [go](javascript:window.ran=1) |\n| --- | --- |\n| a | b |",
    '{"response": "<script>window.ran=1</script>"}',
    "\u202egnp.exe <b onclick='window.ran=1'>bold</b>",
    "&lt;script&gt;window.ran=1&lt;/script&gt; &#60;img src=x onerror=window.ran=1&#62;",
]
HARM = """
() => {
    const allowed = new Set(["A", "BLOCKQUOTE", "BR", "BUTTON", "CODE", "DEL", "DIV", "EM", "H1",
        "H2", "H3", "H4", "H5", "H6", "HR", "LI", "OL", "P", "PRE", "S", "SPAN", "STRONG", "TABLE",
        "TBODY", "TD", "TH", "THEAD", "TR", "UL"]);
    const harm = window.ran ? ["it has run"] : [];
    for (const element of document.querySelectorAll(".chat-text *")) {
        if (!allowed.has(element.tagName)) harm.push(element.outerHTML);
        for (const { name, value } of element.attributes) {
            if (!["class", "href", "rel", "target", "type", "tabindex", "start"].includes(name)
                || name === "href" && !value.startsWith("https://elsewhere.example")) {
                harm.push(element.outerHTML);
            }
        }
        if (element.tagName === "A" && element.hasAttribute("href")
            && element.rel !== "noopener noreferrer") harm.push(element.outerHTML);
    }
    return harm;
}
"""


def watch_for_others(page: Page) -> list[str]:
    """The addresses of other hosts that a page asks for."""
    asked: list[str] = []
    own = page.url.split("/console")[0]

    def note(request: Any) -> None:
        if not request.url.startswith((own, "data:", "blob:", own.replace("http", "ws", 1))):
            asked.append(request.url)

    page.on("request", note)
    return asked


async def test_what_is_said_is_shown_as_text(
    open_console: OpenConsole, user: User, sql: Sql
) -> None:
    for text in TRIES:
        session_id = insert_chat(sql, user, "tries", [text])
        sql(
            "UPDATE chatmessages SET content = %s WHERE conversation_id = %s"
            " AND sender_type = 'user'",
            *(text, session_id),
        )
    sessions = [each["session_id"] for each in (await user.http.get("/api/chats")).json()["chats"]]
    async with open_console(user, "chat") as person:
        asked = watch_for_others(person.page)
        for session_id in sessions:
            await person.open(f"chat/{session_id}")
            await expect(answers(person.page)).to_have_count(1)
            text = sql(
                "SELECT content FROM chatmessages WHERE conversation_id = %s"
                " AND sender_type = 'user'",
                session_id,
            )[0]["content"]
            assert await person.page.evaluate(HARM) == [], text
            for shown in (questions(person.page), answers(person.page)):
                assert await shown.inner_text() != "", text
        assert asked == []


async def test_tags_are_shown_as_they_were_typed(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    async def echo(invocation: Invocation) -> Any:
        return answer(str(invocation.payload["message"]))

    master.behave = echo
    text = "<script>window.ran = 1</script> <img src=x onerror=window.ran=1>"
    async with open_console(user, "chat") as person:
        await ask(person, text)
        await expect(answers(person.page)).to_have_text(text)
        await expect(questions(person.page)).to_have_text(text)
        assert await person.page.evaluate("window.ran") is None


async def test_titles_logs_steps_and_names_of_files_are_texts(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    image = "<img src=x onerror=window.ran=1>"

    async def work(invocation: Invocation) -> Any:
        await invocation.log(image)
        given = {"request_id": invocation.request_id, "session_id": invocation.session_id}
        file = (f"{image}.html", b"<script>parent.ran = 1</script>", "text/html")
        stored = await user.http.post("/files", data=given, files={"file": file})
        assert stored.status_code == 201, stored.text
        return {
            **answer("Look."),
            "agents_trace": [{"name": image, "type": image, "input": image, "output": [image]}],
        }

    master.behave = work
    async with open_console(user, "chat") as person:
        await ask(person, image[:20])
        await person.see("Look.")
        session_id = person.page.url.rpartition("/")[2]
        await user.http.patch(
            "/api/chat", params={"session_id": session_id}, json={"title": "<b>not bold</b>"}
        )
        await person.page.reload()
        await expect(person.page.get_by_role("heading", name="<b>not bold</b>")).to_be_visible()
        await person.page.get_by_text("1 step", exact=True).click()
        await person.page.locator(".chat-step").click()
        await expect(person.page.locator(".chat-step-name")).to_have_text(image)
        await person.page.get_by_text("Log", exact=True).click()
        await expect(person.page.locator(".chat-log .chat-long")).to_have_text(image)
        await person.page.get_by_role("button", name=f"{image}.html", exact=True).click()
        dialog = person.page.get_by_role("dialog")
        await expect(dialog.locator("pre")).to_have_text("<script>parent.ran = 1</script>")
        assert await person.page.evaluate("window.ran") is None
        assert await person.page.locator("main img, iframe").count() == 0
