"""What browsers are told with every answer."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import uuid4

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.web.security import SecurityHeaders
from tests.users import User

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
ANSWERS = {
    "data": ("GET", "/api/chats", 200),
    "bad request": ("GET", "/api/logs/list", 400),
    "unknown path": ("GET", "/api/nothing", 404),
    "wrong method": ("PUT", "/api/chats", 405),
    "malformed": ("GET", "/api/chats?limit=x", 422),
    "health": ("GET", "/health", 200),
    "description": ("GET", "/openapi.json", 200),
    "page": ("GET", "/docs", 200),
    "page without a script": ("GET", "/asyncapi", 200),
    "redirect": ("GET", "/", 307),
    "static file": ("GET", "/docs/static/swagger-ui.css", 200),
}


def policy_of(answer: httpx2.Response) -> dict[str, list[str]]:
    """The directives of its Content-Security-Policy."""
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


def assert_guarded(answer: httpx2.Response) -> None:
    assert EVERYWHERE.items() <= dict(answer.headers).items()
    assert "Origin" in answer.headers["vary"].split(", ")
    policy = policy_of(answer)
    assert (policy["default-src"], policy["frame-ancestors"]) == (["'none'"], ["'none'"])


@pytest.mark.parametrize("kind", ANSWERS)
async def test_every_answer_is_guarded(reader: User, kind: str) -> None:
    method, path, status = ANSWERS[kind]
    answer = await reader.http.request(method, path, follow_redirects=False)
    assert answer.status_code == status
    assert_guarded(answer)


async def test_a_refused_caller_and_a_preflight_are_guarded(visitor: httpx2.AsyncClient) -> None:
    assert_guarded(await visitor.get("/api/chats"))
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    assert_guarded(await visitor.options("/api/chats", headers=headers))


@pytest.mark.parametrize("path", ["/api/chats", "/api/nothing", "/openapi.json"])
async def test_no_answer_is_kept(reader: User, path: str) -> None:
    assert (await reader.http.get(path)).headers["cache-control"] == "no-store"


async def test_a_file_is_guarded_and_may_be_kept_by_its_owner(user: User) -> None:
    content = b"<script>alert(1)</script>"
    created = await user.http.post("/files", files={"file": ("a.html", content, "text/html")})
    answer = await user.http.get(f"/files/{created.json()['id']}", headers={"Range": "bytes=1-6"})
    assert (answer.status_code, answer.content) == (206, b"script")
    assert_guarded(answer)
    assert policy_of(answer)["sandbox"] == []
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "etag" in answer.headers


async def test_a_static_file_may_be_kept(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/docs/static/swagger-ui.css")
    assert "etag" in answer.headers
    assert "cache-control" not in answer.headers


async def test_the_swagger_page_may_run_its_own_scripts_and_nothing_else(
    visitor: httpx2.AsyncClient,
) -> None:
    answer = await visitor.get("/docs")
    [script] = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = policy_of(answer)
    assert policy["script-src"] == ["'self'", f"'sha256-{digest}'"]
    assert policy["connect-src"] == ["'self'"]


async def test_over_plain_http_no_browser_is_told_to_use_https(visitor: httpx2.AsyncClient) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    answer = await visitor.get("/health", headers=headers)
    assert "strict-transport-security" not in answer.headers


async def _stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d" % number

    return StreamingResponse(parts())


async def _fail(_request: Request) -> Response:
    return PlainTextResponse("no", 500, {"Cache-Control": "max-age=5", "X-Frame-Options": "own"})


@pytest.fixture
async def https() -> AsyncIterator[httpx2.AsyncClient]:
    """A small application that is asked by https."""
    app = Starlette(
        routes=[Route("/stream", _stream), Route("/fail", _fail)],
        middleware=[Middleware(SecurityHeaders)],
    )
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url=f"https://{uuid4()}") as http:
        yield http


async def test_over_https_a_browser_is_told_to_stay_there(https: httpx2.AsyncClient) -> None:
    answer = await https.get("/stream")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_stream_stays_one(https: httpx2.AsyncClient) -> None:
    answer = await https.get("/stream")
    assert answer.content == b"012"
    assert "content-length" not in answer.headers


async def test_what_an_answer_says_itself_counts(https: httpx2.AsyncClient) -> None:
    answer = await https.get("/fail")
    assert (answer.headers["cache-control"], answer.headers["x-frame-options"]) == (
        "max-age=5",
        "own",
    )
