"""Whatever goes wrong below `/v1` is told in OpenAI's form, by a real gateway."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from starlette.exceptions import HTTPException

from gateway.routes import forms
from gateway.streams.histories import BODY_LIMIT, MESSAGES_LIMIT
from gateway.web.errors import AnswerErrors, TooManyRequestsError, TooSlowError
from gateway.web.inputs import MAX_BODY_BYTES
from shared.postgres.pool import DatabaseAwayError
from tests.gateway.completions.told import error_of
from tests.sql import Sql
from tests.users import Json, User

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
HELLO: Json = {"role": "user", "content": "hello"}
BODIES = {
    CHAT: {"model": "config", "messages": [HELLO]},
    RESPONSES: {"model": "config", "input": [HELLO]},
}
PATHS = pytest.mark.parametrize("path", BODIES)


async def refused(http: httpx2.AsyncClient, path: str, **sent: Any) -> tuple[int, Json]:
    """The status and the error of what is posted."""
    answer = await http.post(path, **sent)
    return answer.status_code, error_of(answer)


def has_asked(sql: Sql, user: User) -> bool:
    """Whether anything was stored."""
    kept = "SELECT FROM chatconversations WHERE creator_id = %s UNION ALL SELECT FROM requests"
    return bool(sql(f"{kept} WHERE creator_id = %s", user.id, user.id))


@pytest.mark.parametrize("token", [None, "dead"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/a", *BODIES])
async def test_without_a_good_token_it_is_401(
    visitor: httpx2.AsyncClient, path: str, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    method = "POST" if path in BODIES else "GET"
    answer = await visitor.request(method, path, headers=headers, json=BODIES.get(path))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    told = error_of(answer)
    assert (told["type"], told["code"]) == ("authentication_error", "invalid_api_key")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/embeddings", 404),
        ("GET", "/v1/models/nobody", 404),
        ("GET", "/v1/models/a/b", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
    ],
)
async def test_what_is_not_there_is_an_error_too(
    reader: User, method: str, path: str, status: int
) -> None:
    answer = await reader.http.request(method, path)
    assert answer.status_code == status
    assert error_of(answer)["type"] == "invalid_request_error"


@PATHS
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'"\xff"', b'{"model": "\\ud800"}'])
async def test_what_is_no_request_is_400(reader: User, path: str, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, told = await refused(reader.http, path, content=content, headers=headers)
    assert (status, told["type"]) == (400, "invalid_request_error")


@PATHS
async def test_a_model_that_is_nobodys_is_404(user: User, sql: Sql, path: str) -> None:
    status, told = await refused(user.http, path, json={**BODIES[path], "model": "other"})
    assert (status, told["param"], told["code"]) == (404, "model", "model_not_found")
    assert not has_asked(sql, user)


@PATHS
async def test_a_hundred_thousand_messages_are_refused(user: User, sql: Sql, path: str) -> None:
    name = "messages" if path == CHAT else "input"
    content = json.dumps({"model": "config", name: [HELLO] * 100_000}).encode()
    assert len(content) < BODY_LIMIT
    status, told = await refused(user.http, path, content=content)
    assert (status, told["param"]) == (400, name)
    assert f"{MESSAGES_LIMIT:,}" in told["message"]
    assert not has_asked(sql, user)


@PATHS
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
async def test_a_body_that_is_too_large_is_413(reader: User, path: str, *, chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 65536 + 1):
            yield b" " * 65536

    content = chunks() if chunked else b" " * (BODY_LIMIT + 1)
    status, told = await refused(reader.http, path, content=content)
    assert (status, told["code"]) == (413, "request_too_large")
    assert "4 MB" in told["message"]


@PATHS
async def test_a_history_may_be_larger_than_other_bodies(user: User, sql: Sql, path: str) -> None:
    name = "messages" if path == CHAT else "input"
    long = {"role": "assistant", "content": "x" * MAX_BODY_BYTES}
    body = {**BODIES[path], "model": "other", name: [long, HELLO]}
    assert (await refused(user.http, path, json=body))[0] == 404


@PATHS
async def test_a_message_that_is_too_long_is_refused(user: User, sql: Sql, path: str) -> None:
    name = "messages" if path == CHAT else "input"
    long = {"role": "user", "content": "x" * (512 * 1024 + 1)}
    status, told = await refused(user.http, path, json={**BODIES[path], name: [long]})
    assert (status, told["code"]) == (400, "context_length_exceeded")
    assert not has_asked(sql, user)


@PATHS
async def test_a_session_of_another_user_is_refused(
    user: User, other_user: User, sql: Sql, path: str
) -> None:
    session_id = str(uuid4())
    chat = {"session_id": session_id, "title": "mine"}
    await other_user.http.post("/api/chats", json=chat)
    body = {**BODIES[path], "stream": True}
    headers = {"X-Session-Id": session_id}
    status, told = await refused(user.http, path, json=body, headers=headers)
    assert (status, told["param"]) == (400, "metadata.session_id")
    assert not has_asked(sql, user)


async def test_a_page_of_another_origin_may_send_what_the_package_for_javascript_sends(
    visitor: httpx2.AsyncClient,
) -> None:
    wanted = "authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-session-id"
    headers = {
        "Origin": "https://pages.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    assert (await visitor.options(CHAT, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (DatabaseAwayError("away"), 503, "server_error", None),
        (TooManyRequestsError("one too many", 1), 429, "rate_limit_error", "rate_limit_exceeded"),
        (TooSlowError("slow"), 408, "invalid_request_error", "request_timeout"),
        (HTTPException(405), 405, "invalid_request_error", None),
        (ZeroDivisionError("private"), 500, "server_error", None),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else "",
)
async def test_what_others_raise_below_the_path_has_the_form_too(
    error: Exception, status: int, kind: str, code: str | None
) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise error

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise NotImplementedError

    scope: Json = {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "headers": [],
        "client": None,
    }
    await AnswerErrors(app, forms)(scope, receive, send)
    start, body = sent
    told = json.loads(body["body"])["error"]
    assert (start["status"], told["type"], told["code"]) == (status, kind, code)
    assert "private" not in told["message"]
