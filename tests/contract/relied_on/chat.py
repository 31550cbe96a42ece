"""The chat page: its socket, history, files and logs."""

import asyncio
import json
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.contract.relied_on.browser import Browser, relies
from tests.master import AgentError, Invocation, answer
from tests.users import eventually


async def upload(browser: Browser, name: str = "notes.txt") -> str:
    """A file sent with the one part that the front-end sends."""
    sent = await browser.user.http.post("/files", files={"file": (name, b"content")})
    assert sent.status_code == 201, sent.text
    id_: str = sent.json()["id"]
    return id_


@relies("WEBSOCKET, opening")
async def check_opening(browser: Browser) -> None:
    query = urlencode({"token": browser.user.token})
    async with connect(f"{browser.user.socket_url}?{query}") as new:
        await new.send(json.dumps({"message": "no session yet"}))
        frame = json.loads(await new.recv())
        assert frame["response"]["session_id"]
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{browser.user.socket_url}?token=dead")
    assert refused.value.response.status_code == 403


@relies("WEBSOCKET, out of the browser")
async def check_what_is_sent(browser: Browser) -> None:
    file = await upload(browser)
    async with browser.user.chat() as chat:
        stale = {"llm_name": "renamed elsewhere", "provider": "p", "files": []}
        assert not (await chat.ask("hi", **stale))["response"]["is_success"]
        own = {"llm_name": "config", "provider": "provider of config", "files": [file]}
        answered = (await chat.ask("", **own))["response"]
        assert answered["is_success"]
        assert [one["id"] for one in answered["files"]] == [file]


@relies("WEBSOCKET, into the browser")
async def check_that_the_spinner_stops(browser: Browser) -> None:
    async def fail(_: Invocation) -> object:
        raise AgentError("failed on purpose")

    browser.master.behave = fail
    async with browser.user.chat() as chat:
        frame = await chat.ask("raise an error")
    assert frame["type"] == "agent_response"
    assert frame["response"]["response"]["response"] == "failed on purpose"


@relies("agent_response.response must have")
async def check_answers(browser: Browser) -> None:
    odd = [
        "text",
        None,
        5,
        [1, {"a": 2}],
        {"response": None},
        {"response": {"a": 1}},
        {"agents_trace": {}, "response": "r", "is_success": "yes"},
    ]
    async with browser.user.chat() as chat:
        for value in odd:

            async def behave(_: Invocation, value: object = value) -> object:
                return value

            browser.master.behave = behave
            told = (await chat.ask("odd"))["response"]
            assert isinstance(told["execution_time"], int | float)
            assert isinstance(told["response"]["response"], str)
            assert isinstance(told["response"]["agents_trace"], list)
            assert told["session_id"] == chat.session_id
            assert told["request_id"]
            assert isinstance(told["files"], list)


@relies("ORDER")
async def check_that_all_is_there_with_the_frame(browser: Browser) -> None:
    file = await upload(browser)
    async with browser.user.chat() as chat:
        await chat.ask("a question of more than twenty", files=[file])
        history, files, chats = await asyncio.gather(
            browser.get("/api/chat", session_id=chat.session_id),
            browser.get("/files", session_id=chat.session_id),
            browser.get("/api/chats"),
        )
    assert [item["sender_type"] for item in history["items"]] == ["master_agent", "user"]
    assert [one["file_id"] for one in files] == [file]
    assert chats["chats"][0]["title"] == "a question of more t"


@relies("HISTORY")
async def check_history(browser: Browser) -> None:
    async def fail(_: Invocation) -> object:
        raise AgentError("")

    browser.master.behave = fail
    async with browser.user.chat() as chat:
        await chat.ask("raise an error")
    [stored, question] = (await browser.get("/api/chat", session_id=chat.session_id))["items"]
    content = json.loads(stored["content"])
    assert isinstance(content["response"], str)
    assert content["response"]
    assert isinstance(content["agents_trace"], list)
    assert question["content"] == "raise an error"
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await browser.get("/api/chat", session_id=unknown))["items"] == []


@relies("DATES")
async def check_dates(browser: Browser) -> None:
    async with browser.user.chat() as chat:
        for number in range(3):
            await chat.ask(str(number))
    items = (await browser.get("/api/chat", session_id=chat.session_id))["items"]
    times = [item["created_at"] for item in items]
    assert all(time[19] == "." and len(time) == 26 for time in times)
    milliseconds = [time[:23] for time in times]
    assert sorted(set(milliseconds), reverse=True) == milliseconds


@relies("CHATS LIST")
async def check_chats(browser: Browser) -> None:
    async with browser.user.chat() as chat:
        await chat.ask("")
    path = f"/api/chat?session_id={chat.session_id}"
    await browser.say(path, {"title": "Renamed chat"}, "PATCH")
    [renamed] = [
        one
        for one in (await browser.get("/api/chats"))["chats"]
        if one["session_id"] == chat.session_id
    ]
    assert renamed["title"] == "Renamed chat"
    assert all(isinstance(one["title"], str) for one in (await browser.get("/api/chats"))["chats"])
    assert (await browser.user.http.delete(path)).status_code == 204


@relies("FILES")
async def check_files(browser: Browser) -> None:
    id_ = await upload(browser, "é.png")
    metadata = await browser.get(f"/files/{id_}/metadata")
    assert (metadata["original_name"], metadata["mimetype"]) == ("é.png", "image/png")
    assert (metadata["session_id"], metadata["request_id"]) == (None, None)
    assert metadata["from_agent"] is False
    downloaded = await browser.user.http.get(f"/files/{id_}")
    assert (downloaded.content, downloaded.headers["content-type"]) == (b"content", "image/png")


@relies("AGENT FILES")
async def check_files_of_agents(browser: Browser) -> None:
    async def behave(invocation: Invocation) -> object:
        ids = {"session_id": invocation.session_id, "request_id": invocation.request_id}
        file = {"file": ("made.txt", b"made")}
        made = await browser.user.http.post("/files", files=file, data=ids)
        assert made.status_code == 201, made.text
        return answer("made")

    browser.master.behave = behave
    async with browser.user.chat() as chat:
        told = await chat.ask("make a file")
    assert [one["from_agent"] for one in told["response"]["files"]] == [True]


@relies("LOGS")
async def check_logs(browser: Browser) -> None:
    async def behave(invocation: Invocation) -> object:
        for number in range(5):
            await invocation.log(f"entry {number}")
        return answer("logged")

    browser.master.behave = behave
    async with browser.user.chat() as chat:
        request_id = (await chat.ask("log"))["response"]["request_id"]

    async def all_there() -> bool:
        return len(await browser.get("/api/logs/list", request_id=request_id)) == 5

    await eventually(all_there, "five entries")
    entries = await browser.get("/api/logs/list", request_id=request_id)
    assert len({one["created_at"] for one in entries}) == 5
    for one in entries:
        assert {type(one[name]) for name in ("log_level", "message", "agent_id")} == {str}
