"""The official client of OpenAI's API, as a user of ours has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tests.users import User


@asynccontextmanager
async def openai_of(user: User, **options: Any) -> AsyncIterator[AsyncOpenAI]:
    """A client with the user's token, which asks each thing once."""
    given = {"api_key": user.token, "max_retries": 0, "timeout": 30, **options}
    url = f"{str(user.http.base_url).rstrip('/')}/v1"
    async with (
        DefaultAsyncHttpxClient(trust_env=False) as http,
        AsyncOpenAI(base_url=url, http_client=http, **given) as client,
    ):
        yield client
