"""Bodies that never end, that name odd codecs, or that hold too much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.sql import Sql
from tests.system import System
from tests.users import User

POOL_SIZE = 10
SECONDS = 10.0


@asynccontextmanager
async def _endless_body(user: User) -> AsyncIterator[None]:
    """A POST whose body never ends; the gateway waits for the rest of it."""
    url = urlsplit(str(user.http.base_url))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        head = (
            "POST /api/chats HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {user.token}\r\n"
            "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{"
        )
        writer.write(head.encode())
        async with asyncio.timeout(SECONDS):
            line = await reader.readline()  # sent once somebody waits for the body
        assert line == b"HTTP/1.1 100 Continue\r\n"
        yield
    finally:
        writer.close()


async def test_bodies_that_never_end_keep_nobody_else_from_the_gateway(
    system: System, user: User
) -> None:
    assert system.settings.database_pool_size == POOL_SIZE
    async with AsyncExitStack() as bodies:
        for _ in range(POOL_SIZE):
            await bodies.enter_async_context(_endless_body(user))
        assert (await user.http.get("/api/chats")).status_code == 200


def _part(name: str, content: str) -> str:
    return f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'


async def _log_in(http: httpx2.AsyncClient, charset: str, name: str) -> httpx2.Response:
    body = _part("username", name) + _part("password", "hello") + "--xx--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary=xx{charset}"}
    return await http.post("/api/login/access-token", content=body.encode(), headers=headers)


@pytest.mark.parametrize("charset", ["punycode", "PunyCode", '"punycode"', "idna", "utf-7"])
async def test_a_login_in_another_charset_is_422(visitor: httpx2.AsyncClient, charset: str) -> None:
    answer = await _log_in(visitor, f"; charset={charset}", "x-abcdef")
    assert answer.status_code == 422, answer.text


async def test_a_login_that_decodes_to_a_lone_surrogate_is_422(visitor: httpx2.AsyncClient) -> None:
    answer = await _log_in(visitor, "; charset=unicode_escape", "\\ud800abc")
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=UTF-8", "; charset=utf8"])
async def test_a_login_in_utf_8_is_looked_up(visitor: httpx2.AsyncClient, charset: str) -> None:
    answer = await _log_in(visitor, charset, "nobody-of-this-name")
    assert answer.status_code in {400, 401}, answer.text


async def test_20_000_credentials_of_a_config_are_refused(user: User, sql: Sql) -> None:
    new = {
        "name": "many",
        "model": "m",
        "provider": "provider of config",
        "credentials": {f"key{number}": f"{'a' * 16}{number}" for number in range(20_000)},
    }
    answer = await user.http.post("/api/llm/model/config", json=new)
    assert answer.status_code in {400, 422}, answer.text[:1000]
    assert sql("SELECT FROM modelconfigs WHERE creator_id = %s AND name = 'many'", user.id) == []
