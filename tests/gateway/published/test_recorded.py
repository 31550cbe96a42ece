"""What the package a2a-sdk 0.3.26 has sent, which can't be installed beside 1.x, is answered so
that it would have read it.

The requests were recorded of its clients, against this server; `{task}` is the task's id. The
answers are read by the classes of 0.3 that 1.x has too.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as pb2
from a2a.compat.v0_3 import types
from google.protobuf.json_format import ParseDict

from tests.a2a import post_rpc, publish_assistant
from tests.gateway.published.test_leaving import message, read, waiting
from tests.master import Master
from tests.users import Json, User

RECORDED: list[Json] = json.loads(
    (Path(__file__).parent / "recorded_requests.json").read_text(encoding="utf-8")
)
RPC: dict[str, Any] = {
    "message/send": types.SendMessageSuccessResponse,
    "message/stream": types.SendStreamingMessageSuccessResponse,
    "tasks/get": types.GetTaskSuccessResponse,
    "tasks/cancel": types.CancelTaskSuccessResponse,
    "tasks/resubscribe": types.SendStreamingMessageSuccessResponse,
}
GOES_ON = {"cancel", "subscribe", "resubscribe"}  # what needs a task that has not ended


def operation_of(request: Json) -> str:
    method = (request["body"] or {}).get("method")
    return str(method or f"{request['method']} {request['path']}")


def check(request: Json, told: Json) -> str:
    """The kind of what is told, once it is known to be what 0.3 has."""
    body = request["body"] or {}
    if "method" in body:
        parsed = RPC[body["method"]].model_validate(told)
        assert parsed.id == body["id"]
        return str(parsed.result.kind)
    path: str = request["path"]
    if path.endswith(("stream", "subscribe")):
        return str(ParseDict(told, pb2.StreamResponse()).WhichOneof("payload"))
    if path.endswith("send"):
        return str(ParseDict(told, pb2.SendMessageResponse()).WhichOneof("payload"))
    assert ParseDict(told, pb2.Task()).id
    return "task"


@pytest.mark.parametrize("request_", RECORDED, ids=operation_of)
async def test_a_request_of_the_older_package_is_answered(
    user: User, master: Master, request_: Json
) -> None:
    released = asyncio.Event()
    master.behave = waiting(released)
    url = await publish_assistant(user)
    ends_in = operation_of(request_).replace("/", ":").rpartition(":")[2]
    sent = message()
    if ends_in not in GOES_ON:
        released.set()
    else:
        sent["configuration"] = {"returnImmediately": True}
    task = (await post_rpc(user, url, "SendMessage", sent))["result"]["task"]["id"]
    filled = json.loads(json.dumps(request_).replace("{task}", task))
    call: Json = {"headers": filled["headers"], "json": filled["body"]}
    where = f"{url}{filled['path']}?{filled['query']}"
    if "text/event-stream" not in filled["headers"]["accept"]:
        answered = await user.http.request(filled["method"], where, **call)
        assert answered.status_code == 200, answered.text
        assert check(filled, answered.json()) == "task"
        return
    async with user.http.stream(filled["method"], where, **call) as response:
        events = read(response)
        kinds = [check(filled, await anext(events))]
        released.set()
        kinds += [check(filled, event) async for event in events]
    is_rpc = filled["path"] == ""
    assert kinds[0] == "task"
    assert set(kinds[1:]) == {
        "artifact-update" if is_rpc else "artifact_update",
        "status-update" if is_rpc else "status_update",
    }
