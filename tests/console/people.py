"""What a person does at the console."""

import json
import time
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from attrs import define
from playwright.async_api import Locator, Page, expect

from tests.users import User

KEY = "genai.sign-in"


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
        await self.page.add_init_script(
            f"if (!sessionStorage.signedIn) {{ {script}; sessionStorage.signedIn = 1; }}"
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

    async def fill(self, label: str, text: str) -> None:
        """Type into the field of this label."""
        await self.page.get_by_label(label, exact=True).first.fill(text)

    async def see(self, text: str) -> Locator:
        """Wait until something says this."""
        found = self.page.get_by_text(text).filter(visible=True).first
        await expect(found).to_be_visible()
        return found


class OpenConsole(Protocol):
    """Opens the console at a view, for a user or for nobody; `options` are those of a context."""

    def __call__(
        self, user: User | None = None, view: str = "", gateway: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Person]: ...
