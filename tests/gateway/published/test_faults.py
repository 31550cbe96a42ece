"""What the protocol forbids is answered with the error that it names, in either binding."""

import json
from typing import Any
from uuid import uuid4

import pytest

from gateway.published.questions import ID_LIMIT, PARTS_LIMIT
from gateway.published.server import VALUES_LIMIT
from tests.a2a import VERSION, post_rpc, publish_assistant
from tests.master import Master
from tests.sql import Sql
from tests.users import Json, User

PARSE, INVALID, UNKNOWN_METHOD, PARAMS = -32700, -32600, -32601, -32602
NOT_FOUND, NO_PUSH, UNSUPPORTED, CONTENT_TYPE, NO_VERSION = -32001, -32003, -32004, -32005, -32009

# The HTTP status and the reason of each, by the protocol's table of error codes.
OVER_HTTP = {
    PARAMS: (400, "INVALID_PARAMS"),
    NOT_FOUND: (404, "TASK_NOT_FOUND"),
    NO_PUSH: (400, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
    UNSUPPORTED: (400, "UNSUPPORTED_OPERATION"),
    CONTENT_TYPE: (400, "CONTENT_TYPE_NOT_SUPPORTED"),
    NO_VERSION: (400, "VERSION_NOT_SUPPORTED"),
}

TASK = "5d2c3a64-7f0b-4a63-9f57-0d7a3c9a4b1e"  # which nobody has


@pytest.fixture(scope="module")
async def url(anyio_backend: str, reader: User) -> str:
    """Where the master agent of somebody is published whom nothing is ever asked."""
    await reader.create_config(f"config {uuid4()}")
    return await publish_assistant(reader)


def message(*parts: Any, **others: Any) -> Json:
    sent = {"messageId": "m", "role": "ROLE_USER", "parts": [*parts] or [{"text": "hello"}]}
    return {"message": {**sent, **others}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", PARSE),
        (b"{", PARSE),
        (b'"\xff"', PARSE),
        (b"[" * 100_000, PARSE),
        (b'{"a":' * 200 + b"1" + b"}" * 200, PARSE),
        (b"[" + b"{}," * VALUES_LIMIT + b"{}]", INVALID),
        (b"5", INVALID),
        (b"[]", INVALID),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "GetTask"}]', INVALID),
        (b'{"id": 1, "method": "GetTask"}', INVALID),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "GetTask"}', INVALID),
        (b'{"jsonrpc": "2.0", "id": 1}', INVALID),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', INVALID),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "GetTask"}', INVALID),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": 5}', INVALID),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": []}', PARAMS),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "DeleteTask"}', UNKNOWN_METHOD),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "message/send"}', INVALID),
    ],
)
async def test_what_is_no_request_is_told(reader: User, url: str, body: bytes, code: int) -> None:
    headers = {"Content-Type": "application/json", **VERSION}
    answered = await reader.http.post(url, content=body, headers=headers)
    assert answered.status_code == 200
    assert answered.json()["error"]["code"] == code, answered.text


SENT = [
    ({}, PARAMS),
    ({"message": {}}, PARAMS),
    ({"message": 5}, PARAMS),
    (message(parts=[]), PARAMS),
    (message(messageId=""), PARAMS),
    (message(messageId="m" * (ID_LIMIT + 1)), PARAMS),
    (message(messageId="a\0b"), PARAMS),
    (message(contextId="c" * (ID_LIMIT + 1)), PARAMS),
    (message(contextId="a\0b"), PARAMS),
    (message(role="ROLE_AGENT"), PARAMS),
    (message(role="ROLE_KING"), PARAMS),
    (message({"text": ""}), PARAMS),
    (message({"text": "a\0b"}), PARAMS),
    (message({"text": "é" * 300_000}), PARAMS),
    (message({}), PARAMS),
    (message(*[{"text": "a"}] * (PARTS_LIMIT + 1)), PARAMS),
    (message(*[{"url": f"urn:uuid:{TASK}"}] * 101), PARAMS),
    (message({"raw": "aGVsbG8="}), CONTENT_TYPE),
    (message({"data": {"a": 1}}), CONTENT_TYPE),
    (message({"url": "https://example.com/a.txt"}), CONTENT_TYPE),
    (message({"text": "a", "mediaType": "application/pdf"}), CONTENT_TYPE),
    (message(taskId=TASK), NOT_FOUND),
    (message(taskId="x"), NOT_FOUND),
    ({**message(), "configuration": {"historyLength": -1}}, PARAMS),
    (
        {**message(), "configuration": {"taskPushNotificationConfig": {"url": "https://a"}}},
        NO_PUSH,
    ),
]
named = [f"{code} {json.dumps(sent)[:60]}" for sent, code in SENT]


@pytest.mark.parametrize(("sent", "code"), SENT, ids=named)
@pytest.mark.parametrize("operation", ["send", "stream"])
async def test_a_message_that_can_not_be_asked_is_refused(
    reader: User, url: str, operation: str, sent: Json, code: int
) -> None:
    method = {"send": "SendMessage", "stream": "SendStreamingMessage"}[operation]
    assert (await post_rpc(reader, url, method, sent))["error"]["code"] == code
    answered = await reader.http.post(f"{url}/message:{operation}", json=sent, headers=VERSION)
    status, reason = OVER_HTTP[code]
    assert answered.status_code == status, answered.text
    error = answered.json()["error"]
    assert error["code"] == status
    if not isinstance(sent.get("message"), int):  # what no message can be made of has no reason
        assert error["details"][0]["reason"] == reason


@pytest.mark.parametrize(
    ("method", "params", "verb", "path", "code"),
    [
        ("GetTask", {"id": TASK}, "GET", f"tasks/{TASK}", NOT_FOUND),
        ("GetTask", {"id": "x"}, "GET", "tasks/x", NOT_FOUND),
        ("GetTask", {}, "", "", PARAMS),
        (
            "GetTask",
            {"id": TASK, "historyLength": -1},
            "GET",
            f"tasks/{TASK}?historyLength=-1",
            PARAMS,
        ),
        ("CancelTask", {"id": TASK}, "POST", f"tasks/{TASK}:cancel", NOT_FOUND),
        ("SubscribeToTask", {"id": TASK}, "GET", f"tasks/{TASK}:subscribe", NOT_FOUND),
        ("SubscribeToTask", {"id": TASK}, "POST", f"tasks/{TASK}:subscribe", NOT_FOUND),
        ("ListTasks", {"pageSize": 0}, "GET", "tasks?pageSize=0", PARAMS),
        ("ListTasks", {"pageSize": 101}, "GET", "tasks?pageSize=101", PARAMS),
        ("ListTasks", {"pageToken": "x"}, "GET", "tasks?pageToken=x", PARAMS),
        ("ListTasks", {"pageToken": "W1tb" * 99}, "GET", f"tasks?pageToken={'W1tb' * 99}", PARAMS),
        ("ListTasks", {"contextId": "a\0b"}, "GET", "tasks?contextId=a%00b", PARAMS),
        ("ListTasks", {"historyLength": -1}, "GET", "tasks?historyLength=-1", PARAMS),
        ("GetExtendedAgentCard", {}, "GET", "extendedAgentCard", UNSUPPORTED),
        (
            "CreateTaskPushNotificationConfig",
            {"taskId": TASK, "url": "https://a"},
            "POST",
            f"tasks/{TASK}/pushNotificationConfigs",
            NO_PUSH,
        ),
        (
            "GetTaskPushNotificationConfig",
            {"taskId": TASK, "id": "x"},
            "GET",
            f"tasks/{TASK}/pushNotificationConfigs/x",
            NO_PUSH,
        ),
        (
            "ListTaskPushNotificationConfigs",
            {"taskId": TASK},
            "GET",
            f"tasks/{TASK}/pushNotificationConfigs",
            NO_PUSH,
        ),
        (
            "DeleteTaskPushNotificationConfig",
            {"taskId": TASK, "id": "x"},
            "DELETE",
            f"tasks/{TASK}/pushNotificationConfigs/x",
            NO_PUSH,
        ),
    ],
)
async def test_an_operation_that_can_not_be_done_is_refused(
    reader: User, url: str, method: str, params: Json, verb: str, path: str, code: int
) -> None:
    assert (await post_rpc(reader, url, method, params))["error"]["code"] == code
    if verb:
        body = params if method.startswith("Create") else None
        answered = await reader.http.request(verb, f"{url}/{path}", headers=VERSION, json=body)
        status, reason = OVER_HTTP[code]
        assert answered.status_code == status, answered.text
        assert answered.json()["error"]["details"][0]["reason"] == reason
        assert answered.json()["error"]["details"][0]["domain"] == "a2a-protocol.org"


ODD_OF_BEFORE = [
    ("POST", "v1/message:send", {"message": {"messageId": 5}}),
    ("POST", "v1/message:stream", {"message": {"messageId": 5}}),
    ("POST", "v1/message:stream", {"message": {"content": [{}] * (VALUES_LIMIT + 1)}}),
    ("GET", f"v1/tasks/{TASK}?historyLength=x", None),
    ("GET", f"v1/tasks/{TASK}?historyLength={2**31}", None),
]


@pytest.mark.parametrize(("verb", "path", "body"), ODD_OF_BEFORE)
async def test_what_was_no_call_of_0_3_either_is_refused(
    reader: User, url: str, verb: str, path: str, body: Json | None
) -> None:
    answered = await reader.http.request(verb, f"{url}/{path}", json=body)
    assert answered.status_code == 400, answered.text
    assert answered.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("version", ["", "0.3", "0.2", "2.0", "9.9", "latest", "1.x"])
async def test_a_version_that_is_not_spoken_is_refused(
    reader: User, url: str, version: str
) -> None:
    headers = {"A2A-Version": version}
    told = await post_rpc(reader, url, "GetTask", {"id": TASK}, **headers)
    assert told["error"]["code"] == NO_VERSION
    answered = await reader.http.get(f"{url}/tasks/{TASK}", headers=headers)
    assert answered.json()["error"]["details"][0]["reason"] == "VERSION_NOT_SUPPORTED"


@pytest.mark.parametrize("version", ["1.0", "1.0.7", "1.1"])
async def test_patches_of_a_version_are_the_same_version(
    reader: User, url: str, version: str
) -> None:
    told = await post_rpc(reader, url, "ListTasks", {}, **{"A2A-Version": version})
    assert told["result"] == {"tasks": [], "nextPageToken": "", "pageSize": 50, "totalSize": 0}


@pytest.mark.parametrize(
    ("verb", "path"), [("GET", "nothing"), ("POST", "tasks"), ("DELETE", "tasks/x"), ("GET", "a/b")]
)
async def test_what_is_no_operation_is_not_found(
    reader: User, url: str, verb: str, path: str
) -> None:
    answered = await reader.http.request(verb, f"{url}/{path}", headers=VERSION)
    assert (answered.status_code, answered.json()["error"]["status"]) == (404, "NOT_FOUND")


async def test_a_body_that_is_no_json_is_refused_over_http(reader: User, url: str) -> None:
    for body in (b"{", b"[" * 100_000, b"\xff"):
        answered = await reader.http.post(f"{url}/message:send", content=body, headers=VERSION)
        assert answered.status_code == 400
        assert answered.json()["error"]["details"][0]["reason"] == "INVALID_REQUEST"


async def test_a_body_that_is_too_large_is_refused(reader: User, url: str) -> None:
    large = message({"text": "x" * (1024 * 1024)})
    for path in ("", "/message:send"):
        answered = await reader.http.post(f"{url}{path}", json=large, headers=VERSION)
        assert answered.status_code == 413
        assert answered.json()["error"]["message"] == ("What is sent must not be larger than 1 MB")


async def test_what_was_refused_has_left_nothing(reader: User, sql: Sql) -> None:
    assert sql("SELECT id FROM requests WHERE creator_id = %s", reader.id) == []


async def test_a_task_takes_no_second_message(user: User, master: Master) -> None:
    url = await publish_assistant(user)
    told = (await post_rpc(user, url, "SendMessage", message()))["result"]["task"]
    again = message(messageId="n", taskId=told["id"])
    assert (await post_rpc(user, url, "SendMessage", again))["error"]["code"] == UNSUPPORTED
    elsewhere = message(messageId="n", taskId=told["id"], contextId=str(uuid4()))
    assert (await post_rpc(user, url, "SendMessage", elsewhere))["error"]["code"] == PARAMS
    assert len(master.invocations) == 1


async def test_another_user_s_session_is_no_context(user: User, other_user: User) -> None:
    session_id = str(uuid4())
    new = {"session_id": session_id, "title": "mine"}
    assert (await other_user.http.post("/api/chats", json=new)).status_code == 200
    url = await publish_assistant(user)
    told = await post_rpc(user, url, "SendMessage", message(contextId=session_id))
    assert told["error"]["code"] == PARAMS
    assert told["error"]["message"] == "This session belongs to another user."
