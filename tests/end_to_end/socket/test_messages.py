"""What a front-end sends: every good form is answered, and every bad one only refused."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import messages_of
from tests.agent_bridge.stored import execute
from tests.end_to_end.socket.front_end import insert_file, receive_faults
from tests.master import Master, answer
from tests.system import System
from tests.users import Json, User

MALFORMED: dict[str, str | bytes] = {
    "no JSON": "hello {",
    "a JSON list": "[1]",
    "a JSON number": "5",
    "JSON null": "null",
    "an empty object": "{}",
    "no message": '{"llm_name": "config", "files": []}',
    "a null message": '{"message": null}',
    "a number as message": '{"message": 5}',
    "an object as message": '{"message": {}}',
    "wrong types": '{"message": 5, "provider": 1, "llm_name": [], "files": "x", "llm": "y"}',
    "a wrong type in llm": '{"message": "x", "llm": {"llm_name": 5}}',
    "llm as a list": '{"message": "x", "llm": []}',
    "files as an object": '{"message": "x", "files": {}}',
    "a file id that is no UUID": '{"message": "x", "files": ["abc"]}',
    "a file id that is null": '{"message": "x", "files": [null]}',
    "a binary frame": b'{"message": "x"}',
    "an empty binary frame": b"",
    "a binary frame that is no text": b"\xff\xfe",
    "an empty text": "",
    "blanks": "  ",
    "a NUL in the message": '{"message": "a\\u0000b"}',
    "a NUL in a name": '{"message": "x", "llm_name": "\\u0000"}',
    "a lone surrogate": '{"message": "\\ud800"}',
    "NaN": '{"message": NaN}',
    "brackets without end": "[" * 100_000,
    "nesting that the parser refuses": '{"message": ' + "[" * 5000 + "]" * 5000 + "}",
    "nesting that the parser takes": '{"message": ' + "[" * 300 + "]" * 300 + "}",
    "nesting in files": '{"message": "x", "files": [' + "[" * 300 + "]" * 300 + "]}",
    "a huge number": '{"message": ' + "9" * 5000 + "}",
    "1 MiB": json.dumps({"message": "x" * 1024 * 1024}),
    "too many files": json.dumps({"message": "x", "files": [str(uuid4())] * 101}),
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_frame_is_refused_and_the_next_message_is_answered_once(
    frame: str | bytes, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        await chat.ask("before")
        await chat.connection.send(frame)
        await receive_faults(chat)
        assert (await chat.ask("after"))["response"]["response"] == answer("echo: after")
        assert messages_of(master) == ["before", "after"]
        assert len(await user.history(chat.session_id)) == 4


@pytest.mark.usefixtures("master")
async def test_a_malformed_first_frame_leaves_no_chat(user: User) -> None:
    async with user.chat() as chat:
        await chat.connection.send("nonsense")
        await receive_faults(chat)
        assert (await user.http.get("/api/chats")).json() == {"chats": []}
        assert (await chat.ask("hello"))["response"]["is_success"] is True


@pytest.mark.usefixtures("master")
async def test_all_faults_of_a_frame_are_told_at_once(user: User) -> None:
    async with user.chat() as chat:
        await chat.connection.send('{"message": 5, "provider": 1, "files": ["x"]}')
        faults = await receive_faults(chat)
    assert sorted(fault["loc"] for fault in faults) == [["files", 0], ["message"], ["provider"]]
    assert all(fault.keys() == {"type", "loc", "msg", "input"} for fault in faults)


async def _config_of(user: User, master: Master, **message: Any) -> Json:
    async with user.chat() as chat:
        frame = await chat.ask("hello", **message)
    assert frame["response"]["response"] == answer("echo: hello")
    config: Json = master.invocations[-1].payload["configs"]["llm"]
    return config


@pytest.mark.parametrize(
    "form",
    [
        {"llm": {"llm_name": "config"}, "files": []},
        {"llm_name": "config", "provider": "provider of config", "files": []},
        {"llm_name": "config"},
        {"llm": {"llm_name": "config"}, "files": None},
        {"llm": None, "llm_name": "config", "provider": None},
        {"llm": {"llm_name": "config", "more": 1}, "extra": {"a": []}, "type": "x"},
    ],
)
async def test_the_named_config_answers_in_either_form(
    form: Json, user: User, master: Master
) -> None:
    await user.create_config("newer")
    assert (await _config_of(user, master, **form))["config_name"] == "config"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"llm": None},
        {"llm": {}},
        {"llm": {"llm_name": None}},
        {"llm_name": None, "provider": None},
        {"llm_name": "", "provider": ""},
    ],
)
async def test_without_a_name_the_user_s_newest_config_answers(
    form: Json, user: User, master: Master
) -> None:
    await user.create_config("newer")
    assert (await _config_of(user, master, **form))["config_name"] == "newer"


async def test_a_config_of_the_same_name_of_another_user_is_not_taken(
    user: User, other_user: User, master: Master
) -> None:
    await user.create_config("same", "sk-mine")
    await other_user.create_config("same", "sk-theirs")
    assert (await _config_of(user, master, llm_name="same"))["api_key"] == "sk-mine"


async def test_a_provider_with_null_metadata_is_no_hindrance(
    system: System, user: User, master: Master
) -> None:
    execute(
        system,
        "UPDATE modelproviders SET provider_metadata = 'null' WHERE creator_id = %s",
        user.id,
    )
    assert (await _config_of(user, master))["config_name"] == "config"


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("", "New Chat"),
        ("short", "short"),
        ("exactly twenty chars", "exactly twenty chars"),
        ("a text of more than twenty characters", "a text of more than "),
        ("😀" * 30, "😀" * 20),
    ],
)
async def test_the_title_is_the_beginning_of_the_first_message(
    message: str, title: str, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        await chat.ask(message)
        await chat.ask("a second message changes nothing")
    [listed] = (await user.http.get("/api/chats")).json()["chats"]
    assert (listed["session_id"], listed["title"]) == (chat.session_id, title)
    assert messages_of(master)[0] == message


async def test_files_go_to_the_master_agent_and_come_with_the_answer(
    system: System, user: User, master: Master
) -> None:
    file_id = str(insert_file(system, user))
    async with user.chat() as chat:
        frame = await chat.ask("look", files=[file_id])
    assert frame["response"]["files"] == master.invocations[0].payload["files"]
    [file] = frame["response"]["files"]
    assert (file["id"], file["session_id"]) == (file_id, chat.session_id)
    assert file["request_id"] == frame["response"]["request_id"]


async def test_a_file_named_twice_is_given_once(system: System, user: User, master: Master) -> None:
    file_id = str(insert_file(system, user))
    async with user.chat() as chat:
        await chat.ask("look", files=[file_id, file_id.upper()])
    assert len(master.invocations[0].payload["files"]) == 1


@pytest.mark.parametrize("size", [200_000, 300_000, 512 * 1024])
async def test_a_long_message_is_answered(size: int, user: User, master: Master) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("x" * size)
    assert frame["response"]["response"] == answer("echo: " + "x" * size)
    assert len(master.invocations) == 1


@pytest.mark.usefixtures("master")
async def test_a_chat_that_goes_on_is_newer_than_one_that_does_not(user: User) -> None:
    async with user.chat() as older, user.chat() as newer:
        await older.ask("first")
        await newer.ask("second")
        assert await by_their_change(user) == [newer.session_id, older.session_id]
        await older.send("third")
        await older.receive_answer()
    assert await by_their_change(user) == [older.session_id, newer.session_id]
    [last, *_] = await user.history(older.session_id)
    [chat] = [each for each in await chats_of(user) if each["session_id"] == older.session_id]
    assert abs(
        datetime.fromisoformat(chat["updated_at"]) - datetime.fromisoformat(last["created_at"])
    ) < timedelta(seconds=1)
    assert chat["created_at"] < chat["updated_at"]


async def chats_of(user: User) -> list[Json]:
    chats: list[Json] = (await user.http.get("/api/chats")).json()["chats"]
    return chats


async def by_their_change(user: User) -> list[str]:
    chats = sorted(await chats_of(user), key=lambda chat: chat["updated_at"], reverse=True)
    return [chat["session_id"] for chat in chats]
