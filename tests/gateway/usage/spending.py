"""Users whose answers cost something, over the real services."""

from typing import Any

from tests.gateway.shapes import good
from tests.master import Invocation, answer
from tests.users import Json, User

MILLION = 1_000_000
PRICE = 2.5  # USD, of a million tokens that go in
USED: Json = {"model": "gpt-4o", "provider": "openai", "input_tokens": MILLION, "output_tokens": 0}


def saying(usage: Any) -> Any:
    """What a master agent does that says this of each answer's usage."""

    async def behave(invocation: Invocation) -> Json:
        asked = invocation.payload["message"]
        return {**answer(f"echo: {asked}"), "usage": usage}

    return behave


async def report(user: User, **query: Any) -> Json:
    """What the user is told that he has used."""
    told: Json = good(await user.http.get("/api/usage", params=query))
    return told


async def used_of(user: User, request_id: str) -> list[Json]:
    """What is noted with a request."""
    request = good(await user.http.get(f"/api/requests/{request_id}"))
    used: list[Json] = request["usage"]
    return used
