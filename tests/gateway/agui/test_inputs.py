"""What front-ends send: what of it is asked, and what is refused, of which nothing is kept."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.agui.messages import NO_CONTENT, NO_PART
from gateway.agui.questions import (
    LONG_PROMPT,
    NO_MODEL,
    NO_TEXT,
    NO_USER_MESSAGE,
    TOO_MANY_FILES,
)
from gateway.agui.schemas import NO_INTERRUPTS
from gateway.streams.asking import FOREIGN_SESSION, PROMPT_LIMIT
from gateway.streams.histories import BODY_LIMIT, MESSAGES_LIMIT
from tests.agui import make_input, refused, run, running, say
from tests.gateway.agui.front_end import FrontEnd
from tests.gateway.files.uploading import upload
from tests.master import Master, answer
from tests.sql import Sql
from tests.users import Json, User

HELLO = say("hello")


def sent(**others: Any) -> Json:
    return make_input(HELLO, **others)


def image(source: Json) -> Json:
    return {"type": "image", "source": source}


async def answers(user: User, *messages: Json, **others: Any) -> list[str]:
    front_end = FrontEnd()
    front_end.apply(await run(user, *messages, **others))
    return front_end.answers


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([], ["body"]),
        ({}, ["body", "threadId"]),
        (sent(thread=5) | {"threadId": []}, ["body", "threadId"]),
        (sent() | {"threadId": ""}, ["body", "threadId"]),
        (sent() | {"runId": "x" * 256}, ["body", "runId"]),
        (sent() | {"messages": {}}, ["body", "messages"]),
        (sent() | {"messages": [5]}, ["body", "messages", 0]),
        (sent() | {"messages": [{"role": "user"}]}, ["body", "messages", 0, "id"]),
        (sent() | {"messages": [say(5)]}, NO_CONTENT),
        (sent() | {"messages": [say([5])]}, NO_PART),
        (sent() | {"messages": [say([{"type": "text"}])]}, NO_PART),
        (sent(resume=[{"interruptId": "i", "status": "resolved"}]), NO_INTERRUPTS),
        (sent() | {"messages": [say("a\0b")]}, ["body", "messages", "content"]),
        (sent() | {"messages": [say("é" * 300_000)]}, ["body", "messages", "content"]),
        (sent() | {"messages": [HELLO] * (MESSAGES_LIMIT + 1)}, ["body", "messages"]),
        (sent(context=[{"value": "x"}]), ["body", "context", 0, "description"]),
    ],
)
async def test_what_is_malformed_is_refused(
    reader: User, given: Any, where: list[Any] | str
) -> None:
    status, detail = await refused(reader, given)
    if isinstance(where, str):
        assert (status, detail) == (400, where)
    elif isinstance(detail, str):  # what somebody may have typed
        assert (status, detail.startswith(f"'{'.'.join(map(str, where[1:]))}'")) == (400, True)
    else:
        assert (status, detail[0]["loc"]) == (422, where)


@pytest.mark.parametrize("body", [b"", b"{", b'"\xff"', b"[" * 100_000])
async def test_what_is_no_json_is_refused(reader: User, body: bytes) -> None:
    answered = await reader.http.post("/ag-ui", content=body)
    assert answered.status_code == 422


async def test_a_hundred_thousand_messages_are_refused(reader: User) -> None:
    small = b'{"id":"1","role":"user"}'
    for message in (small, small.replace(b"1", b"1" * 40)):
        body = b'{"threadId":"t","runId":"r","messages":[' + b",".join([message] * 100_000) + b"]}"
        answered = await reader.http.post("/ag-ui", content=body)
        is_larger = len(body) > BODY_LIMIT
        assert answered.status_code == (413 if is_larger else 400), answered.text
        assert ("4 MB" if is_larger else "2,000 items") in answered.json()["detail"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (make_input(), NO_USER_MESSAGE),
        (make_input(say("a", "assistant"), say("b", "system")), NO_USER_MESSAGE),
        (make_input(say("")), NO_TEXT),
        (make_input(say(None)), NO_TEXT),
        (make_input(say([image({"type": "url", "value": "http://a"})])), NO_TEXT),
        (
            make_input(say([image({"type": "file", "value": str(uuid4())})] * 101)),
            TOO_MANY_FILES,
        ),
        (sent(forwardedProps={"model": 5}), NO_MODEL),
        (
            sent(forwardedProps={"model": "no\0body"}),
            "There is no model config, agent or flow named 'no\\x00body'",
        ),
        (make_input(say("x" * PROMPT_LIMIT, "system"), say("y", "developer"), HELLO), LONG_PROMPT),
        (sent(context=[{"description": "", "value": "x" * PROMPT_LIMIT}]), LONG_PROMPT),
    ],
)
async def test_what_can_not_be_asked_is_refused_with_a_sentence(
    reader: User, given: Json, says: str
) -> None:
    assert await refused(reader, given) == (400, says)


async def test_another_user_s_session_is_refused(user: User, other_user: User, sql: Sql) -> None:
    thread = str(uuid4())
    created = await user.http.post("/api/chats", json={"session_id": thread, "title": "mine"})
    assert created.status_code == 200
    assert await refused(other_user, sent(thread=thread)) == (400, FOREIGN_SESSION)
    assert sql("SELECT id FROM requests WHERE session_id = %s", thread) == []


async def test_what_was_refused_left_nothing(reader: User, sql: Sql) -> None:
    assert sql("SELECT session_id FROM chatconversations WHERE creator_id = %s", reader.id) == []


async def test_any_text_names_a_thread_of_its_user(
    user: User, other_user: User, master: Master
) -> None:
    threads = set()
    for each in (user, user, other_user):
        assert await answers(each, say("hi"), thread="мій чат") == ["echo: hi"]
        threads.add(master.invocations[-1].session_id)
    assert len(threads) == 2


async def test_what_came_before_is_the_history_of_a_new_thread_alone(
    user: User, master: Master
) -> None:
    thread = str(uuid4())
    earlier = [
        say("one"),
        say([{"type": "text", "text": "an"}, {"type": "text", "text": "swer"}], "assistant"),
        say("thinking", "reasoning"),
        say({"x": 1}, "activity"),
        {**say("12:00", "tool"), "toolCallId": "x"},
        say("whatever", "robot"),
        say("nul\0", "user"),
    ]
    await run(user, *earlier, say("two"), thread=thread)
    await run(user, say("invented"), say("three"), thread=thread)
    told = [each["content"] for each in await user.history(thread)]
    assert (told[0], told[2], told[3], told[5]) == ("one", "nul", "two", "three")
    assert '"an\\nswer"' in told[1]
    assert len(told) == 7
    chats = (await user.http.get("/api/chats")).json()["chats"]
    assert thread not in [each["session_id"] for each in chats]


async def test_a_thread_may_be_a_chat_of_the_user(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.ask("one")
        assert await answers(user, say("two"), thread=chat.session_id) == ["echo: two"]
        assert (await chat.receive_answer())["response"]["response"] == answer("echo: two")


@pytest.mark.parametrize("id_", [str(UUID(int=1)), "message-1", "é" * 255])
async def test_a_message_is_asked_once_in_its_thread(
    user: User, master: Master, sql: Sql, id_: str
) -> None:
    message, thread = say("hello", id_=id_), str(uuid4())
    told = [await answers(user, message, thread=thread) for _ in range(2)]
    assert told == [["echo: hello"]] * 2
    assert len(master.invocations) == 1
    [row] = sql("SELECT message_id FROM requests WHERE session_id = %s", thread)
    assert str(row["message_id"]) == id_ or not _is_uuid(id_)
    await answers(user, message, thread="another")
    assert len(master.invocations) == 2


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


async def test_the_application_says_what_the_agent_is_to_know(user: User, master: Master) -> None:
    context = [{"description": "The page", "value": "settings"}, {"description": "a", "value": "b"}]
    await run(user, say("Be\0 brief.", "system"), say("No jokes.", "developer"), HELLO)
    await run(user, HELLO, context=context)
    own = "You are helpful."
    first, second = (each.payload["configs"]["llm"] for each in master.invocations)
    assert first["system_prompt"] == "Be brief.\n\nNo jokes."
    assert second["system_prompt"].endswith("The page:\nsettings\n\na:\nb")
    assert own not in first["system_prompt"]


async def test_what_nobody_uses_is_ignored(user: User, master: Master) -> None:
    others = {
        "tools": [{"name": "show", "description": "d", "parameters": {}}],
        "state": {"a": [1]},
        "forwardedProps": [1],
        "protocolVersion": "1.7",
        "parentRunId": "x",
        "unknown": None,
        "resume": [],
    }
    assert await answers(user, HELLO, **others) == ["echo: hello"]
    assert await answers(user, say("again"), forwardedProps={"model": None}) == ["echo: again"]


async def test_a_config_is_named_by_forwarded_props(user: User, master: Master) -> None:
    await user.create_config("other")
    await user.create_config("newest")
    for name in ("other", "newest"):
        await run(user, HELLO, forwardedProps={"model": name})
        assert master.invocations[-1].payload["configs"]["llm"]["config_name"] == name


async def test_files_go_with_a_message_and_what_is_none_is_left_out(
    user: User, master: Master
) -> None:
    file = await upload(user.http)
    parts = [
        {"type": "text", "text": "Read this"},
        {"type": "document", "source": {"type": "file", "value": file}},
        {"type": "image", "source": {"type": "file", "value": "file-abc"}},
        {"type": "image", "source": {"type": "data", "value": "eA==", "mimeType": "image/png"}},
        {"type": "audio"},
    ]
    await run(user, say(parts))
    [given] = master.invocations
    assert given.payload["message"] == "Read this"
    assert [each["id"] for each in given.payload["files"]] == [file]


async def test_a_request_that_fails_is_told_as_such(user: User, master: Master) -> None:
    events = await run(user, say([image({"type": "file", "value": str(uuid4())})]))
    assert events[-1]["type"] == "RUN_ERROR"
    assert events[-1]["message"].endswith("does not exist")


async def test_who_has_no_token_is_not_let_in(user: User) -> None:
    answered = await user.http.post("/ag-ui", json=sent(), headers={"Authorization": "Bearer x"})
    assert answered.status_code == 401


@pytest.mark.parametrize("anew", [False, True], ids=["deleted", "begun anew"])
async def test_a_chat_that_is_deleted_meanwhile_ends_the_run(
    user: User, master: Master, *, anew: bool
) -> None:
    thread = str(uuid4())

    async def delete(_: Any) -> Json:
        await user.http.delete("/api/chat", params={"session_id": thread})
        if anew:
            new = {"title": "anew", "session_id": thread}
            assert (await user.http.post("/api/chats", json=new)).status_code == 200
        return answer("to nobody")

    master.behave = delete
    async with running(user, make_input(HELLO, thread=thread)) as stream:
        events = [event async for event in stream]
    assert events[-1]["type"] == "RUN_ERROR"
