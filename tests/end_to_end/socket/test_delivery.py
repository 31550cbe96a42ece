"""What goes out: each frame once, in order, to every socket of its session and to no other."""

import asyncio
import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.agent_bridge.actors import messages_of
from tests.end_to_end.socket.front_end import LOG_KEYS, RESPONSE_KEYS, chat_at, send_and_leave
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, Json, User, eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
BIG = 300 * 1024  # over what goes through Redis


async def log_twice(invocation: Invocation) -> Any:
    """Log two entries, and answer when they are stored, which only the test can know."""
    await invocation.log("one")
    await invocation.log("two")
    return answer(invocation.payload["message"])


async def _receive_texts(chat: Chat, count: int) -> list[str]:
    return [await chat.receive_text() for _ in range(count)]


def _seqs(texts: list[str]) -> list[int]:
    return [json.loads(text)["seq"] for text in texts]


async def test_a_log_frame_has_exactly_the_keys_of_the_contract(user: User, master: Master) -> None:
    master.behave = log_twice
    async with user.chat() as chat:
        await chat.send("hello")
        frames = [await chat.receive() for _ in range(3)]
    [log, _] = [frame for frame in frames if frame["type"] == "agent_log"]
    assert log.keys() == {"type", "log", "seq"}
    assert log["log"].keys() == LOG_KEYS
    assert log["log"]["agent_id"] == "master_server_ml"
    assert log["log"]["creator_id"] == user.id
    assert TIME.fullmatch(log["log"]["created_at"])
    assert TIME.fullmatch(log["log"]["updated_at"])


async def test_an_answer_s_frame_has_exactly_the_keys_of_the_contract(
    user: User, master: Master
) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("hello")
    assert frame.keys() == {"type", "response", "seq"}
    response = frame["response"]
    assert response.keys() == RESPONSE_KEYS
    assert response["is_success"] is True
    assert response["execution_time"] == 0.25
    assert response["response"] == answer("echo: hello")
    assert response["files"] == []
    assert response["session_id"] == str(UUID(response["session_id"])) == chat.session_id
    assert response["request_id"] == master.invocations[0].request_id


async def test_the_answer_is_in_the_history_when_its_frame_arrives(
    user: User, master: Master
) -> None:
    async with user.chat() as chat:
        for number in range(10):
            frame = await chat.ask(str(number))
            items = await user.history(chat.session_id)
            assert json.loads(items[-1]["content"]) == frame["response"]["response"]
            [listed] = (await user.http.get("/api/chats")).json()["chats"]
            assert listed["title"] == "0"
    assert len(master.invocations) == 10


async def test_two_sockets_of_a_session_get_the_same_frames_in_the_same_order(
    user: User, master: Master
) -> None:
    master.behave = log_twice
    async with user.chat() as one, user.chat(one.session_id) as other:
        for number in range(5):
            await (one if number % 2 else other).send(str(number))
        told = await asyncio.gather(_receive_texts(one, 15), _receive_texts(other, 15))
    assert told[0] == told[1]
    assert _seqs(told[0]) == list(range(1, 16))


async def test_a_socket_of_another_session_hears_nothing(user: User, master: Master) -> None:
    master.behave = log_twice
    async with user.chat() as mine, user.chat() as other:
        await mine.ask("mine")
        await other.send("other")
        frames = [await other.receive() for _ in range(3)]
    sessions = {(frame.get("log") or frame["response"])["session_id"] for frame in frames}
    assert sessions == {other.session_id}


async def test_a_socket_that_leaves_right_after_sending_loses_nothing(
    user: User, master: Master
) -> None:
    async with user.chat() as chat:
        session_id = chat.session_id
    for number in range(10):
        await send_and_leave(user, session_id, str(number))

    async def all_are_answered() -> bool:
        return len(await user.history(session_id)) == 20

    await eventually(all_are_answered, "20 messages in the history")
    # Each came by a socket of its own, so one may be stored before the one before it.
    assert sorted(messages_of(master)) == [str(number) for number in range(10)]
    async with user.chat(session_id, after=0) as again:
        assert _seqs(await _receive_texts(again, 10)) == list(range(1, 11))


async def test_what_was_told_meanwhile_is_replayed_with_identical_frames(
    user: User, master: Master
) -> None:
    master.behave = log_twice
    async with user.chat() as chat:
        for number in range(4):
            await chat.send(str(number))
        told = await _receive_texts(chat, 12)
    for after in (0, 1, 7, 11):
        async with user.chat(chat.session_id, after=after) as again:
            assert await _receive_texts(again, 12 - after) == told[after:]


async def test_a_replay_of_hundreds_of_frames_is_complete(user: User, master: Master) -> None:
    async def behave(invocation: Invocation) -> Any:
        for number in range(349):
            await invocation.log(str(number))
        return answer("done")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("hello")
        told = await _receive_texts(chat, 350)
    async with user.chat(chat.session_id, after=0) as again:
        assert await _receive_texts(again, 350) == told
    assert _seqs(told) == list(range(1, 351))


async def test_without_after_only_what_comes_is_told(user: User, master: Master) -> None:
    async with user.chat() as chat:
        await chat.ask("old")
    async with user.chat(chat.session_id) as again:
        assert (await again.ask("new"))["response"]["response"] == answer("echo: new")
    assert len(master.invocations) == 2


@pytest.mark.usefixtures("master")
async def test_after_a_replay_the_socket_goes_on(user: User) -> None:
    async with user.chat() as chat:
        await chat.ask("one")
        await chat.ask("two")
    async with user.chat(chat.session_id, after=1) as again:
        assert (await again.receive())["seq"] == 2
        assert (await again.ask("three"))["seq"] == 3


@pytest.mark.usefixtures("master")
async def test_a_socket_that_is_ahead_of_its_session_still_gets_its_answers(user: User) -> None:
    async with user.chat(after=1000) as chat:
        assert (await chat.ask("hello"))["response"]["response"] == answer("echo: hello")


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize("protocol", [None, 2])
async def test_a_chat_that_is_deleted_and_begun_again_under_sockets_is_answered(
    user: User, master: Master, protocol: int | None
) -> None:
    async with user.chat(protocol=protocol) as chat, user.chat(chat.session_id) as other:
        for count in (1, 1, 3, 2):  # fewer frames than before, as many, and more
            for number in range(count):
                answered = await chat.ask(str(number))
                assert answered["seq"] == number + 1
                assert (await other.receive_answer())["seq"] == number + 1
            deleted = await user.http.delete(f"/api/chat?session_id={chat.session_id}")
            assert deleted.status_code == 204


async def test_a_large_answer_arrives_at_every_socket(user: User, master: Master) -> None:
    async def behave(_invocation: Invocation) -> Any:
        return answer("ä" * BIG)

    master.behave = behave
    async with user.chat() as one, user.chat(one.session_id) as other:
        await one.send("hello")
        told = [await one.receive_text(), await other.receive_text()]
    assert told[0] == told[1]
    assert json.loads(told[0])["response"]["response"] == answer("ä" * BIG)


async def test_large_log_entries_arrive_cut_and_with_a_mark(user: User, master: Master) -> None:
    async def behave(invocation: Invocation) -> Any:
        for _ in range(3):
            await invocation.log("😀" * BIG)
        return answer("done")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("hello")
        frames = [await chat.receive() for _ in range(4)]
    messages = [frame["log"]["message"] for frame in frames if "log" in frame]
    assert len(messages) == 3
    for message in messages:
        assert len(message) <= 64 * 1024
        assert message.startswith("😀😀")
        assert message[-1] != "😀"


async def test_messages_of_a_session_are_answered_in_the_order_sent(
    user: User, master: Master
) -> None:
    running: list[str] = []

    async def behave(invocation: Invocation) -> Any:
        running.append(invocation.payload["message"])
        assert len(running) == 1, "one at a time"
        await asyncio.sleep(0)
        running.clear()
        return answer(invocation.payload["message"])

    master.behave = behave
    texts = [str(number) for number in range(30)]
    async with user.chat() as chat:
        for text in texts:
            await chat.send(text)
        frames = [await chat.receive_answer() for _ in texts]
    assert [frame["response"]["response"]["response"] for frame in frames] == texts
    assert messages_of(master) == texts


async def test_pings_are_answered_while_a_request_runs(user: User, master: Master) -> None:
    may_answer = asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await may_answer.wait()
        return answer("late")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("hello")
        async with asyncio.timeout(5):
            await (await chat.connection.ping())
        may_answer.set()
        assert (await chat.receive_answer())["response"]["response"] == answer("late")


async def test_a_socket_at_another_gateway_hears_the_same(
    system: System, user: User, master: Master
) -> None:
    if len(system.gateways) == 1:
        system.start_gateway()
    other_url = system.gateways[1].replace("http", "ws", 1) + "/frontend/ws"
    master.behave = log_twice
    async with user.chat() as one, chat_at(other_url, user, one.session_id) as other:
        await one.send("hello")
        assert await _receive_texts(other, 3) == await _receive_texts(one, 3)


async def test_users_at_the_same_time_get_their_own_answers_only(
    user: User, other_user: User, master: Master
) -> None:
    async def chat_of(owner: User, number: int) -> list[Json]:
        async with owner.chat() as chat:
            texts = [f"{owner.name} {number} {each}" for each in range(5)]
            for text in texts:
                await chat.send(text)
            frames = [await chat.receive_answer() for _ in texts]
            told = [frame["response"]["response"]["response"] for frame in frames]
            assert told == [f"echo: {text}" for text in texts]
            return frames

    owners = [user, other_user] * 8
    chats = await asyncio.gather(*(chat_of(owner, number) for number, owner in enumerate(owners)))
    ids = [frame["response"]["request_id"] for frames in chats for frame in frames]
    assert len(set(ids)) == len(ids) == len(master.invocations) == 80
