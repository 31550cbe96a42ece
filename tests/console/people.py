"""What a person does at the console."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from attrs import define
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.chromium import WAITED_MS
from tests.users import User

KEY = "genai.sign-in"
REFUSED = re.compile(r"the server responded with a status of (\d+)")


@define
class Person:
    """Somebody with a page of the console; `errors` are those that the page has logged."""

    page: Page
    url: str
    errors: list[str]

    async def sign_in_as(self, user: User) -> None:
        """Be signed in as a user whose token the test has made."""
        stored = {"access": user.token, "refresh": None, "until": (time.time() + 3600) * 1000}
        script = f"localStorage.setItem({json.dumps(KEY)}, {json.dumps(json.dumps(stored))})"
        # Not in a frame with another document, such as a PDF's, which has no storage.
        await self.page.add_init_script(
            "if (window === top && !sessionStorage.signedIn)"
            f" {{ {script}; sessionStorage.signedIn = 1; }}"
        )

    async def open(self, view: str = "") -> None:
        """Go to a view by its address: `agents`, or `requests/<id>`."""
        await self.page.goto(f"{self.url}#/{view}")

    async def see_view(self) -> None:
        """Wait until the view is there, and has loaded what it shows."""
        view = self.page.locator("main")
        await expect(view.get_by_role("heading").first).to_be_attached()
        await expect(view.locator(".spinner")).to_have_count(0)

    async def click(self, name: str, role: str = "button") -> None:
        """Click what is called so."""
        await self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]

    async def confirm(self, name: str) -> None:
        """Click what is called so in the dialog."""
        await self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    async def fill(self, label: str, text: str) -> None:
        """Type into the field of this label."""
        await self.page.get_by_label(label, exact=True).first.fill(text)

    async def see(self, text: str) -> Locator:
        """Wait until something says this."""
        found = self.page.get_by_text(text).filter(visible=True).first
        await expect(found).to_be_visible()
        return found

    async def open_tab(self) -> "Person":
        """One more page of the same browser, with the same storage."""
        page = await self.page.context.new_page()
        note_errors(page, self.url, self.errors)
        return Person(page, self.url, self.errors)

    def forgive(self, *statuses: int) -> None:
        """Take these for what the test wanted: others that were refused stay errors."""
        told = {error: REFUSED.search(error) for error in self.errors}
        self.errors[:] = [
            error for error in self.errors if not (at := told[error]) or int(at[1]) not in statuses
        ]


@asynccontextmanager
async def opening(
    browser: Browser, gateway: str, user: User | None = None, view: str = "", **options: Any
) -> AsyncIterator[Person]:
    """The console of a gateway at a view, for a user or for nobody."""
    context = await browser.new_context(**options)
    context.set_default_timeout(WAITED_MS)
    page, errors = await context.new_page(), list[str]()
    note_errors(page, gateway, errors)
    person = Person(page, f"{gateway}/console", errors)
    if user is not None:
        await person.sign_in_as(user)
    await person.open(view)
    yield person
    await context.close()
    assert not person.errors, person.errors


def note_errors(page: Page, ours: str, errors: list[str]) -> None:
    """Collect what pages of this origin log as errors, and what they fail of."""
    origin = "/".join(ours.split("/")[:3])

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and str(message.location["url"]).startswith(origin):
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))


class OpenConsole(Protocol):
    """Opens the console at a view, for a user or for nobody; `options` are those of a context."""

    def __call__(
        self, user: User | None = None, view: str = "", gateway: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Person]: ...
