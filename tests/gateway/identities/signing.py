"""Whole sign-ins at the scripted provider."""

from typing import Any

from tests.gateway.identities.browsing import Page
from tests.gateway.identities.scripted import Claims, Scripted, told_behind
from tests.gateway.shapes import good
from tests.sql import Sql


async def come_with_code(page: Page, scripted: Scripted, **begin: str) -> str:
    """The code that the page gets for somebody who signs in."""
    asked = await page.go(**begin)
    scripted.nonce = asked["nonce"]
    return await page.code_of(await page.come_back(state=asked["state"], code="a-code"))


async def sign_in(page: Page, scripted: Scripted, **begin: str) -> dict[str, Any]:
    """The tokens of somebody who signs in."""
    tokens: dict[str, Any] = good(await page.redeem(await come_with_code(page, scripted, **begin)))
    return tokens


def user_of(sql: Sql, person: Claims) -> dict[str, Any]:
    """The account of a person."""
    [user] = sql(
        """
        SELECT users.id, username, role, email, password FROM users JOIN identities
        ON user_id = users.id WHERE subject = %s
        """,
        person["sub"],
    )
    return user


async def refusal(page: Page, scripted: Scripted, max_age: str | None = None, **back: str) -> str:
    """Why the page gets no code."""
    asked = await page.go(**({} if max_age is None else {"max_age": max_age}))
    scripted.nonce = scripted.nonce or asked["nonce"]
    answer = await page.come_back(**{"state": asked["state"], "code": "a-code", **back})
    told = told_behind(answer)
    assert told["error"] == "server_error", told
    return told["error_description"].removeprefix("scripted: ")
