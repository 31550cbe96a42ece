"""The description of the socket is valid AsyncAPI, and what a real socket says is as described."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from gateway.app import TITLE
from gateway.chats.closes import CLOSE_CODES
from gateway.openapi.channels import describe_channels
from gateway.routes import sockets
from shared import VERSION
from tests.end_to_end.socket.front_end import close_code, insert_file
from tests.master import Invocation, Master, echo
from tests.system import System
from tests.users import Chat, User

DOCUMENT = describe_channels(sockets, TITLE, VERSION)
SCHEMA = json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_text())
ASYNCAPI = Draft7Validator(SCHEMA)
FRAMES = [
    *("AcceptedFrame", "Cancellation", "ClientMessage", "DeltaFrame", "ErrorFrame"),
    *("FailureFrame", "GapFrame", "LogFrame", "ResponseFrame", "ValidationFailure"),
]


def errors_of(name: str, frame: object) -> list[str]:
    """What is wrong with a frame by the description of its message."""
    message = DOCUMENT["components"]["messages"][name]
    schema = {**message["payload"], "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(frame)]


def references(value: object) -> Iterator[str]:
    """Every reference in the document."""
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for part in value.values():
                yield from references(part)
        case list():
            for part in value:
                yield from references(part)


def test_the_description_is_valid_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert [error.message for error in ASYNCAPI.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("part", ["info", "channels", "operations"])
def test_a_spoilt_description_is_not_valid(part: str) -> None:
    assert not ASYNCAPI.is_valid({**DOCUMENT, part: {"x": 1}})


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


async def test_the_gateway_serves_it(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.get("/asyncapi.json")).json() == DOCUMENT


async def test_the_other_description_links_to_it(visitor: httpx2.AsyncClient) -> None:
    described = (await visitor.get("/openapi.json")).json()
    assert "(/asyncapi.json)" in described["info"]["description"]


def test_every_frame_is_described() -> None:
    assert sorted(DOCUMENT["components"]["messages"]) == FRAMES


def test_every_close_code_is_told_with_its_meaning() -> None:
    channel = DOCUMENT["channels"]["serve_frontend"]
    assert channel["x-close-codes"] == {str(code): text for code, text in CLOSE_CODES.items()}
    assert all(f"- {code}: " in channel["description"] for code in CLOSE_CODES)


def test_the_query_is_that_of_the_handshake() -> None:
    query = DOCUMENT["channels"]["serve_frontend"]["bindings"]["ws"]["query"]
    assert query["properties"].keys() == {"token", "session_id", "after", "protocol"}
    assert query["required"] == ["token"]


@pytest.mark.parametrize(
    "frame",
    [
        {"message": "hello"},
        {"message": "hello", "llm": {"llm_name": "config"}, "files": []},
        {"message": "hello", "llm_name": "config", "provider": "x", "files": None},
    ],
)
async def test_a_message_as_described_is_answered_as_described(
    user: User, master: Master, frame: dict[str, Any]
) -> None:
    assert errors_of("ClientMessage", frame) == []
    async with user.chat() as chat:
        answer = await chat.ask(**frame)
    assert errors_of("ResponseFrame", answer) == []
    assert errors_of("FailureFrame", answer) == (
        [] if "error" in answer else ["'error' is a required property"]
    )


@pytest.mark.parametrize(
    "frame",
    [{}, {"message": 5}, {"message": "x", "files": ["y"] * 101}, {"message": "x", "llm": 1}],
)
async def test_a_frame_that_is_not_as_described_is_answered_by_its_faults(
    user: User, frame: dict[str, Any]
) -> None:
    assert errors_of("ClientMessage", frame)
    async with user.chat() as chat:
        await chat.connection.send(json.dumps(frame))
        text = await chat.receive_text()
    assert errors_of("ValidationFailure", text) == []


async def test_logs_and_an_answer_with_files_are_as_described(
    system: System, user: User, master: Master
) -> None:
    async def log(invocation: Invocation) -> Any:
        await invocation.log("working")
        return await echo(invocation)

    master.behave = log
    file = str(insert_file(system, user))
    async with user.chat() as chat:
        await chat.send("hello", files=[file])
        frames = await _until_answer(chat)
    assert [frame["type"] for frame in frames] == ["agent_log", "agent_response"]
    assert errors_of("LogFrame", frames[0]) == []
    assert errors_of("ResponseFrame", frames[1]) == []
    assert [one["id"] for one in frames[1]["response"]["files"]] == [file]


async def _until_answer(chat: Chat) -> list[dict[str, Any]]:
    frames = [await chat.receive()]
    while frames[-1]["type"] != "agent_response":
        frames.append(await chat.receive())
    return frames


async def test_a_failure_is_as_described(user: User, master: Master) -> None:
    async with user.chat() as chat:
        answer = await chat.ask("hello", llm_name="no such config")
    assert answer["error"]
    assert errors_of("FailureFrame", answer) == []


async def test_what_is_closed_by_a_bad_query_has_a_described_code(user: User) -> None:
    code, heard = await close_code(user, token=user.token, after="-1")
    assert (code, heard) == (1008, [])
    assert code in CLOSE_CODES
