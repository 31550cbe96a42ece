"""What a message is answered with that may not be sent, or not like that."""

from typing import Any

import pytest
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
)

from gateway.mcpserver.exchanges import TOO_MANY_VALUES, VALUES_LIMIT
from gateway.mcpserver.resources import NOT_FOUND, READ_LIMIT
from gateway.mcpserver.schemas import ID_LIMIT, NOT_SERVED
from tests.mcpserver import BOTH, ENVELOPE, MODERN, PATH, SESSIONS, modern, post, request
from tests.users import Json, User, connect_to

SESSION = {"mcp_protocol_version": SESSIONS}
HALF_A_PAIR = b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}'
NAME = {"mcp_protocol_version": MODERN}


async def sent(user: User, body: bytes, **headers: str) -> tuple[int, Json]:
    """The status, and the answer, which is one of JSON-RPC."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {**BOTH, "content-type": "application/json", **named}
    answered = await user.http.post(PATH, content=body, headers=given)
    told: Json = answered.json()
    assert told["jsonrpc"] == "2.0"
    return answered.status_code, told


async def refused(user: User, message: Any, **headers: str) -> tuple[int, int, Any]:
    """The status, the code, and whose id is told."""
    answered = await post(user, message, **headers)
    told = answered.json()
    return answered.status_code, told["error"]["code"], told.get("id")


@pytest.mark.parametrize("headers", [{}, SESSION, NAME], ids=["none", SESSIONS, MODERN])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", HALF_A_PAIR, b"NaN"])
async def test_what_is_no_json_is_no_message(user: User, body: bytes, headers: Json) -> None:
    status, told = await sent(user, body, **headers)
    code = (
        INVALID_REQUEST
        if body in {b"", b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}'}
        else PARSE_ERROR
    )
    assert (status, told["error"]["code"], told["id"]) == (400, code, None)


@pytest.mark.parametrize("headers", [{}, SESSION, NAME], ids=["none", SESSIONS, MODERN])
@pytest.mark.parametrize(
    "message",
    [
        [],
        [request("ping")],
        "ping",
        5,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 2**63, "method": "ping"},
        {"jsonrpc": "2.0", "id": "x" * (ID_LIMIT + 1), "method": "ping"},
        {"jsonrpc": "2.0", "id": [1], "method": "ping"},
        {"jsonrpc": "2.0", "id": 1, "method": None},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": "\0"}},
    ],
)
async def test_what_is_no_message_is_an_invalid_request(
    user: User, message: Any, headers: Json
) -> None:
    assert (await refused(user, message, **headers))[:2] == (400, INVALID_REQUEST)


async def test_responses_answer_nothing(user: User) -> None:
    for message in (
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}},
    ):
        assert (await post(user, message, **SESSION)).status_code == 202
        assert (await refused(user, message, **NAME))[:2] == (400, INVALID_REQUEST)


async def test_notifications_are_taken_note_of(user: User) -> None:
    for method in ("notifications/initialized", "notifications/what/ever"):
        message = {"jsonrpc": "2.0", "method": method}
        for headers in ({}, SESSION, NAME):
            answered = await post(user, message, **headers)
            assert (answered.status_code, answered.content) == (202, b"")
        old = {"mcp_protocol_version": "1999-01-01"}
        assert (await refused(user, message, **old))[:2] == (400, UNSUPPORTED_PROTOCOL_VERSION)


@pytest.mark.parametrize("method", ["what/ever", "prompts/list", "subscriptions/listen"])
async def test_an_unknown_method_is_not_found(user: User, method: str) -> None:
    message = request(method, "a")
    assert await refused(user, message, **SESSION) == (200, METHOD_NOT_FOUND, "a")
    if method != "subscriptions/listen":
        message, headers = modern(method, "a")
        assert await refused(user, message, **headers) == (404, METHOD_NOT_FOUND, "a")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {}),
        ("tools/call", {"name": 5}),
        ("tools/call", {"name": "ask", "arguments": "hello"}),
        ("tools/call", {"name": "nobody"}),
        ("tools/list", {"cursor": 5}),
        ("tools/list", {"cursor": "1"}),
        ("resources/list", {"cursor": "-1"}),
        ("resources/list", {"cursor": "²"}),
        ("resources/list", {"cursor": "9" * 40}),
        ("resources/read", {}),
    ],
)
async def test_other_parameters_are_invalid(user: User, method: str, params: Json) -> None:
    assert await refused(user, request(method, **params), **SESSION) == (200, INVALID_PARAMS, 1)
    message, headers = modern(method, **params)
    headers["mcp-name"] = str(headers.get("mcp-name", ""))
    status, code, id_ = await refused(user, message, **headers)
    assert (status, id_) == (400, 1)
    assert code in {INVALID_PARAMS, HEADER_MISMATCH}


async def test_headers_and_body_say_the_same(user: User) -> None:
    message, headers = modern("tools/call", name="ask", arguments={"message": "x"})
    for other in (
        {"mcp-method": "tools/list"},
        {"mcp-name": "nobody"},
        {"mcp-name": "=?base64?%?="},
        {"mcp-method": ""},
    ):
        given = {**headers, **other}
        assert await refused(user, message, **given) == (400, HEADER_MISMATCH, 1)
    strange = {
        **message,
        "params": {**message["params"], "_meta": {**ENVELOPE, next(iter(ENVELOPE)): "x"}},
    }
    assert await refused(user, strange, **headers) == (400, HEADER_MISMATCH, 1)
    bare = {**message, "params": {"name": "ask"}}
    assert await refused(user, bare, **headers) == (400, INVALID_PARAMS, 1)
    unknown = {**headers, "mcp-protocol-version": "x"}
    assert await refused(user, strange, **unknown) == (400, UNSUPPORTED_PROTOCOL_VERSION, 1)


async def test_a_resource_that_is_none_of_the_users_is_not_found(
    user: User, other_user: User
) -> None:
    stored = await other_user.http.post("/files", files={"file": ("a.txt", b"hello")})
    foreign = f"genai://files/{stored.json()['id']}"
    for uri in (foreign, "genai://files/", "genai://files/../etc", "file:///etc/passwd", "x"):
        read = request("resources/read", uri=uri)
        assert await refused(user, read, **SESSION) == (200, NOT_FOUND, 1)
        message, headers = modern("resources/read", uri=uri)
        assert await refused(user, message, **headers) == (400, INVALID_PARAMS, 1)
    read = request("resources/read", uri=foreign)
    told = (await post(other_user, read, **SESSION)).json()["result"]["contents"]
    assert told == [{"uri": foreign, "mimeType": "text/plain", "text": "hello"}]


async def test_a_large_file_is_not_read_as_a_resource(user: User) -> None:
    large = b"x" * (READ_LIMIT + 1)
    stored = await user.http.post("/files", files={"file": ("a.bin", large)})
    read = request("resources/read", uri=f"genai://files/{stored.json()['id']}")
    told = (await post(user, read, **SESSION)).json()["error"]
    assert told["message"].startswith("A resource can be read up to 4 MB: GET /files/")


@pytest.mark.parametrize("spoken", [request, modern], ids=[SESSIONS, MODERN])
async def test_what_would_be_looked_at_for_long_is_not(user: User, spoken: Any) -> None:
    said = spoken("initialize", clientInfo={"icons": [{}] * VALUES_LIMIT})
    message, headers = said if spoken is modern else (said, SESSION)
    answered = await post(user, message, **headers)
    assert answered.json()["error"] == {"code": INVALID_PARAMS, "message": TOO_MANY_VALUES}


async def test_a_tool_is_called_with_as_many_values_as_there_are(user: User) -> None:
    arguments = {"message": [1] * VALUES_LIMIT}
    told = await post(user, request("tools/call", name="ask", arguments=arguments), **SESSION)
    assert told.json()["result"]["isError"]


@pytest.mark.parametrize("accept", ["", "application/json", "text/event-stream", "text/html"])
async def test_a_client_takes_both_forms_of_an_answer(user: User, accept: str) -> None:
    assert await refused(user, request("ping"), accept=accept) == (406, NOT_SERVED, None)
    for good in ("*/*", "application/*, text/*;q=0.5", "Text/Event-Stream, application/json"):
        assert (await post(user, request("ping"), accept=good)).json()["result"] == {}


async def test_only_sessions_have_a_stream_and_none_can_be_deleted(user: User) -> None:
    for method, headers, status, allowed in (
        ("GET", {"mcp-protocol-version": MODERN}, 405, "POST"),
        ("GET", {"mcp-protocol-version": "x"}, 405, "POST"),
        ("GET", {"accept": "application/json"}, 406, None),
        ("GET", {"last-event-id": "x"}, 400, None),
        ("DELETE", {"mcp-session-id": "x"}, 405, None),
    ):
        given = {"accept": "text/event-stream", **headers}
        answered = await user.http.request(method, PATH, headers=given)
        assert answered.status_code == status
        assert answered.json()["error"]["message"]
        if allowed:
            assert answered.headers["allow"] == allowed


async def test_a_session_has_a_name_that_can_be_one(user: User) -> None:
    for name in ("x y", "x" * 256):
        given = {**SESSION, "mcp_session_id": name}
        answered = await sent(user, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', **given)
        assert (answered[0], answered[1]["error"]["code"]) == (400, INVALID_REQUEST)


async def test_too_much_is_refused(user: User) -> None:
    status, told = await sent(user, b'"' + b"x" * (1024 * 1024) + b'"')
    assert (status, told["error"]["code"]) == (413, NOT_SERVED)
    most = 512 * 1024
    for size, is_error in ((most, False), (most + 1, True)):
        message = request("tools/call", name="ask", arguments={"message": "x" * size})
        answered = await post(user, message, accept="*/*")
        if is_error:
            assert answered.json()["result"]["content"][0]["text"] == (
                "What is asked must have at most 512 KB"
            )


async def test_nobody_is_served_without_a_token(user: User) -> None:
    base = str(user.http.base_url)
    for shown, challenge in (
        ({}, "Bearer"),
        ({"Authorization": "Bearer x"}, 'Bearer error="invalid_token"'),
    ):
        async with connect_to(base, **shown) as http:
            for method in ("GET", "POST"):
                answered = await http.request(method, PATH, headers=BOTH)
                assert answered.status_code == 401
                assert answered.headers["www-authenticate"] == challenge
                assert answered.json()["error"]["code"] == NOT_SERVED
            known = await http.get("/.well-known/oauth-protected-resource/mcp")
            assert known.status_code == 404
