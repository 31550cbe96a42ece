"""Files in chats: sent up with messages, made by agents, shown and brought down."""

import base64
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, expect

from tests.console.chats import answers, ask
from tests.console.people import OpenConsole, Person
from tests.master import Invocation, Master, answer
from tests.users import User

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj
trailer<</Root 1 0 R>>
"""
# What a drop or a paste brings: a file that a page has made.
BRING = """
(field, [kind, name, text]) => {
    const given = new DataTransfer();
    given.items.add(new File([text], name, { type: "text/plain" }));
    const more = kind === "paste" ? { clipboardData: given } : { dataTransfer: given };
    const Made = kind === "paste" ? ClipboardEvent : DragEvent;
    field.dispatchEvent(new Made(kind, { bubbles: true, cancelable: true, ...more }));
}
"""


async def choose(person: Person, *files: dict[str, Any]) -> None:
    """Choose files by the button."""
    async with person.page.expect_file_chooser() as chosen:
        await (
            person.page.locator("button", has_text="")
            .and_(person.page.get_by_role("button", name="Add files", exact=True))
            .last.click()
        )
    await (await chosen.value).set_files(list(files))  # type: ignore[arg-type]


def field(person: Person) -> Locator:
    """Where one writes."""
    return person.page.get_by_label("Write a message", exact=True)


async def test_files_go_with_a_message_and_come_with_an_answer(
    open_console: OpenConsole, user: User, master: Master, tmp_path: Path
) -> None:
    async def draw(invocation: Invocation) -> Any:
        given = {"request_id": invocation.request_id, "session_id": invocation.session_id}
        file = ("drawn.png", PICTURE, "image/png")
        stored = await user.http.post("/files", data=given, files={"file": file})
        assert stored.status_code == 201, stored.text
        names = sorted(each["original_name"] for each in invocation.payload["files"])
        return answer(f"Got {', '.join(names)}")

    master.behave = draw
    async with open_console(user, "chat") as person:
        await choose(person, {"name": "one.txt", "mimeType": "text/plain", "buffer": b"1"})
        await field(person).evaluate(BRING, ["drop", "two.txt", "2"])
        await field(person).evaluate(BRING, ["paste", "three.txt", "3"])
        for name in ("one.txt", "two.txt", "three.txt"):
            await person.see(name)
        await person.click("Remove two.txt")
        await ask(person, "Draw!")
        await person.see("Got one.txt, three.txt")
        answer_ = person.page.get_by_role("article", name="Assistant")
        question = person.page.get_by_role("article", name="You")
        for _ in range(2):  # as it comes, and as it is read again
            await expect(
                answer_.get_by_role("button", name="drawn.png", exact=True)
            ).to_be_visible()
            await expect(question.locator(".chat-file")).to_have_count(2)
            await expect(answer_.locator(".chat-file")).to_have_count(1)
            picture = answer_.get_by_role("img", name="drawn.png")
            await expect(picture).to_be_visible()
            assert await picture.evaluate("(it) => it.naturalWidth") == 1
            await person.page.reload()
        async with person.page.expect_download() as download:
            await person.click("Download drawn.png")
        await (await download.value).save_as(tmp_path / "drawn.png")
        assert (tmp_path / "drawn.png").read_bytes() == PICTURE
        assert (await download.value).suggested_filename == "drawn.png"


async def test_texts_pictures_and_documents_are_shown(
    open_console: OpenConsole, user: User, master: Master
) -> None:
    long = b"a line\n" * 20_000
    async with open_console(user, "chat") as person:
        await choose(
            person,
            {"name": "long.txt", "mimeType": "text/plain", "buffer": long},
            {"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE},
            {"name": "page.pdf", "mimeType": "application/pdf", "buffer": PDF},
            {"name": "some.bin", "mimeType": "application/x-thing", "buffer": b"\0\1"},
        )
        await ask(person, "Look")
        await expect(answers(person.page)).to_have_count(1)
        dialog = person.page.get_by_role("dialog")
        await person.click("long.txt")
        await expect(dialog.get_by_text("Only its beginning is shown.")).to_be_visible()
        assert len(await dialog.locator("pre").inner_text()) == 64 * 1024
        await person.click("Close")
        await person.click("dot.png")
        await expect(dialog.get_by_role("img", name="dot.png")).to_be_visible()
        await person.click("Close")
        await person.click("page.pdf")
        if await person.page.evaluate("navigator.pdfViewerEnabled"):
            await expect(dialog.get_by_title("page.pdf")).to_be_visible()
        else:
            await expect(dialog.get_by_text("There is no preview")).to_be_visible()
        await person.click("Close")
        await person.click("some.bin")
        await expect(dialog.get_by_text("There is no preview")).to_be_visible()


async def test_a_file_that_is_not_taken_says_why(open_console: OpenConsole, user: User) -> None:
    async with open_console(user, "chat") as person:
        name = f"{'x' * 300}.txt"
        await field(person).evaluate(BRING, ["drop", name, "2"])
        await person.see("255 characters")
        await person.fill("Write a message", "without it?")
        await expect(person.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
        person.errors.clear()  # Chromium logs each 400
