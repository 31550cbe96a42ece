"""Somebody at the front-end, and the register of what is checked for them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from attrs import frozen

from tests.master import Master
from tests.system import System
from tests.users import Json, User

ORIGIN = "http://localhost:3000"


@frozen
class Browser:
    """Somebody at the front-end; the master agent does what a check wants."""

    system: System
    user: User
    visitor: httpx2.AsyncClient
    master: Master

    async def get(self, path: str, **query: str) -> Any:
        """Read JSON that the front-end can read: it comes with its length."""
        got = await self.user.http.get(path, params=query)
        assert got.status_code == 200, got.text
        assert int(got.headers["content-length"]) == len(got.content) > 0
        return got.json()

    async def say(self, path: str, body: Json, method: str = "POST") -> Json:
        """Send JSON that is taken."""
        sent = await self.user.http.request(method, path, json=body)
        assert sent.status_code == 200, sent.text
        said: Json = sent.json()
        return said


type Check = Callable[[Browser], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def relies(on: str) -> Callable[[Check], Check]:
    """The check of the item that begins with this."""

    def register(check: Check) -> Check:
        CHECKS[on] = check
        return check

    return register


async def is_sentence(got: httpx2.Response, status: int = 400) -> None:
    """Refused with a text that fits into a toast."""
    assert got.status_code == status, got.text
    assert isinstance(got.json()["detail"], str)
    assert got.headers["content-type"] == "application/json"
    assert int(got.headers["content-length"]) == len(got.content)
