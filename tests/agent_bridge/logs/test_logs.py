"""Log entries: in order, only where they may stand, and without secrets."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import (
    connected,
    connected_agent,
    until_active,
    until_inbox_is_empty,
)
from tests.agent_bridge.stored import Row, select_logs
from tests.master import Master
from tests.system import BE_KEY, ML_KEY, SERVICE_KEY, System
from tests.users import Chat, Json, User, eventually

MESSAGE_LIMIT = 64 * 1024


@pytest.fixture
async def chat(user: User, master: Master) -> AsyncIterator[Chat]:
    """A session with one answered request, and its socket."""
    async with user.chat() as chat:
        await chat.ask("hello")
        yield chat
        chat.connection.transport.abort()  # a close would wait behind frames that nobody read


@pytest.fixture
def request_id(chat: Chat, master: Master) -> str:
    """The answered request."""
    assert master.invocations[0].session_id == chat.session_id
    return master.invocations[0].request_id


async def _until_logged(system: System, session_id: str, count: int) -> list[Row]:
    async def holds() -> bool:
        return len(select_logs(system, session_id)) >= count

    await eventually(holds, f"{count} log entries")
    return select_logs(system, session_id)


async def test_entries_stand_in_the_order_in_which_they_came(
    system: System, chat: Chat, request_id: str, master: Master
) -> None:
    for number in range(300):
        await master.log(str(number), chat.session_id, request_id)
    rows = await _until_logged(system, chat.session_id, 300)
    assert [row["message"] for row in rows] == [str(number) for number in range(300)]
    assert [row["seq"] for row in rows] == list(range(2, 302))


async def test_an_entry_that_is_no_text_keeps_every_digit(
    chat: Chat, request_id: str, master: Master
) -> None:
    frame = {"message_type": "agent_log", "log_message": {"n": 2**80}, "log_level": "info"}
    ids = {"agent_uuid": ML_KEY, "request_id": request_id, "session_id": chat.session_id}
    await master.connection.send(json.dumps({**frame, **ids}))
    assert (await chat.receive())["log"]["message"] == '{"n":1208925819614629174706176}'


async def test_entries_of_a_session_differ_by_a_millisecond_at_least(
    system: System, chat: Chat, request_id: str, master: Master
) -> None:
    for number in range(50):
        await master.log(str(number), chat.session_id, request_id)
    times = [row["created_at"] for row in await _until_logged(system, chat.session_id, 50)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gap.total_seconds() for gap in gaps) >= 0.001


async def test_entries_arrive_at_the_socket_in_order(
    chat: Chat, request_id: str, master: Master
) -> None:
    for number in range(100):
        await master.log(str(number), chat.session_id, request_id)
    frames = [await chat.receive() for _ in range(100)]
    assert [frame["log"]["message"] for frame in frames] == [str(number) for number in range(100)]
    assert [frame["seq"] for frame in frames] == list(range(2, 102))


async def test_entries_of_the_master_agent_carry_its_name_and_the_user(
    system: System, user: User, chat: Chat, request_id: str, master: Master
) -> None:
    await master.log("m", chat.session_id, request_id, "warning")
    [row] = await _until_logged(system, chat.session_id, 1)
    assert row["agent_id"] == "master_server_ml"
    assert str(row["creator_id"]) == user.id
    assert row["log_level"] == "warning"


async def test_an_agent_may_log_into_a_session_of_its_creator(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    agent = await user.register_agent("a", "b")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("a", "b")
        await connection.log("mine", chat.session_id, request_id)
        [row] = await _until_logged(system, chat.session_id, 1)
    assert row["agent_id"] == agent["id"]


async def test_an_entry_of_another_user_s_agent_is_dropped(
    system: System, user: User, other_user: User, chat: Chat, request_id: str
) -> None:
    agent = await other_user.register_agent("a", "b")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("a", "b")
        await until_active(other_user, agent["id"])
        await connection.log("foreign", chat.session_id, request_id)
        await until_inbox_is_empty(system, user)
    assert select_logs(system, chat.session_id) == []


async def test_an_entry_of_an_unknown_agent_is_dropped(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    for identity in (str(uuid4()), "nobody"):
        async with connected_agent(system, identity) as connection:
            await connection.log("unknown", chat.session_id, request_id)
            await until_inbox_is_empty(system, user)
    assert select_logs(system, chat.session_id) == []


async def test_an_entry_that_claims_another_agent_stands_under_the_real_one_or_nowhere(
    system: System, user: User, other_user: User, chat: Chat, request_id: str
) -> None:
    agent = await other_user.register_agent("a", "b")
    async with connected_agent(system, agent["jwt"]) as connection:
        for claimed in ("master_server_ml", ML_KEY):
            await connection.log("forged", chat.session_id, request_id, agent_uuid=claimed)
        await until_inbox_is_empty(system, user)
    assert select_logs(system, chat.session_id) == []


async def test_an_invocation_dressed_as_a_log_of_the_master_agent_is_not_stored(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    async with connected(system, x_custom_invoke_key="anyone") as stranger:
        await stranger.invoke_bridge(
            {
                "message_type": "agent_log",
                "agent_uuid": "master_server_ml",
                "log_message": "forged",
                "log_level": "info",
                "session_id": chat.session_id,
                "request_id": request_id,
            }
        )
        await until_inbox_is_empty(system, user)
    assert select_logs(system, chat.session_id) == []


async def test_an_entry_with_a_request_of_another_session_is_dropped(
    system: System, user: User, chat: Chat, request_id: str, master: Master
) -> None:
    async with user.chat() as other:
        await other.ask("another session")
        await master.log("crossed", other.session_id, request_id)
        await until_inbox_is_empty(system, user)
    assert select_logs(system, other.session_id) == []
    assert select_logs(system, chat.session_id) == []


async def test_the_master_agent_may_log_into_any_session(
    system: System, other_user: User, chat: Chat, master: Master
) -> None:
    async with other_user.chat() as other:
        await other.ask("hello")
        await master.log("theirs", other.session_id, master.invocations[-1].request_id)
        [row] = await _until_logged(system, other.session_id, 1)
    assert str(row["creator_id"]) == other_user.id
    assert select_logs(system, chat.session_id) == []


async def test_entries_without_ids_or_with_odd_ones_are_ignored(
    system: System, user: User, chat: Chat, request_id: str, master: Master
) -> None:
    odd: list[tuple[Any, Any]] = [
        (None, request_id),
        (chat.session_id, None),
        ("", ""),
        ("no uuid", request_id),
        (chat.session_id, "no uuid"),
        (5, 5),
        ([], {}),
        (str(uuid4()), str(uuid4())),
    ]
    for session_id, request in odd:
        await master.log("odd", session_id, request)
    await master.log("good", chat.session_id, request_id)
    await until_inbox_is_empty(system, user)
    assert [row["message"] for row in select_logs(system, chat.session_id)] == ["good"]


async def test_one_bad_entry_does_not_take_its_neighbours_down(
    system: System, user: User, chat: Chat, request_id: str, master: Master
) -> None:
    for number in range(20):
        await master.log(f"good {number}", chat.session_id, request_id)
        await master.log("bad", str(uuid4()), request_id)
        await master.log("nul \x00", chat.session_id, request_id, "in\x00fo")
        await master.log("level", chat.session_id, request_id, "x" * 5000)
    await until_inbox_is_empty(system, user)
    messages = [row["message"] for row in select_logs(system, chat.session_id)]
    assert [text for text in messages if text.startswith("good")] == [
        f"good {number}" for number in range(20)
    ]
    assert len(messages) == 60


async def test_an_entry_with_extra_keys_is_stored(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    agent = await user.register_agent("a", "b")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("a", "b")
        await connection.log("extra", chat.session_id, request_id, invoked_by="x", more={"a": 1})
        [row] = await _until_logged(system, chat.session_id, 1)
    assert row["message"] == "extra"


async def test_a_message_that_is_no_text_is_stored_as_its_json(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    agent = await user.register_agent("a", "b")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("a", "b")
        for message in ({"a": [1]}, 5, None):
            await connection.log(message, chat.session_id, request_id)
        rows = await _until_logged(system, chat.session_id, 3)
    assert [row["message"] for row in rows] == ['{"a":[1]}', "5", ""]


async def test_a_lone_surrogate_does_not_take_the_next_entry_down(
    system: System, chat: Chat, request_id: str, master: Master
) -> None:
    await master.log("broken \ud800 emoji", chat.session_id, request_id)
    await master.log("next", chat.session_id, request_id)
    rows = await _until_logged(system, chat.session_id, 1)
    assert rows[-1]["message"] == "next"


async def test_a_long_message_is_cut_with_a_mark(
    system: System, chat: Chat, request_id: str, master: Master
) -> None:
    await master.log("ä" * 500_000, chat.session_id, request_id)
    [row] = await _until_logged(system, chat.session_id, 1)
    assert len(row["message"]) <= MESSAGE_LIMIT
    assert row["message"].startswith("ää")
    assert not row["message"].endswith("ä")


async def test_secrets_of_the_request_and_of_the_services_are_redacted(
    system: System, user: User, master: Master
) -> None:
    key = 'sk-"quoted"\\ünd-more'
    await user.create_config("guarded", api_key=key)
    async with user.chat() as chat:
        await chat.ask("hello", llm_name="guarded")
        request_id = master.invocations[0].request_id
        secrets = [key, BE_KEY, ML_KEY, SERVICE_KEY]
        texts = [
            f"raw {' '.join(secrets)}",
            json.dumps({"keys": secrets}),
            json.dumps({"keys": secrets}, ensure_ascii=False),
            json.dumps({"inner": json.dumps({"keys": secrets})}),
            "x" * (MESSAGE_LIMIT - 5) + key,
        ]
        for text in texts:
            await master.log(text, chat.session_id, request_id)
        frames = [await chat.receive() for _ in texts]
    rows = await _until_logged(system, chat.session_id, len(texts))
    told = [frame["log"]["message"] for frame in frames]
    assert told == [row["message"] for row in rows]
    assert [_leaked(text) for text in told] == [[]] * len(texts)
    assert all("********" in text for text in told[:4])


def _leaked(text: str) -> list[str]:
    parts = ("quoted", "nd-more", BE_KEY[:20], ML_KEY[:20], SERVICE_KEY[:20])
    return [part for part in parts if part in text]


async def test_the_secrets_in_a_config_s_credentials_are_redacted(
    system: System, user: User, master: Master
) -> None:
    provider = {"name": "azure", "api_key": "sk-azure", "metadata": {}}
    assert (await user.http.post("/api/llm/model/provider", json=provider)).is_success
    config = {
        "name": "azure",
        "model": "m",
        "provider": "azure",
        "credentials": {"client_secret": "very-secret-value", "region": "westeurope"},
    }
    assert (await user.http.post("/api/llm/model/config", json=config)).is_success
    async with user.chat() as chat:
        await chat.ask("hello", llm_name="azure", provider="azure")
        await master.log(
            json.dumps(master.invocations[0].payload),
            chat.session_id,
            master.invocations[0].request_id,
        )
        [row] = await _until_logged(system, chat.session_id, 1)
    assert "very-secret-value" not in row["message"]
    assert "westeurope" in row["message"]


async def test_forged_and_odd_frames_do_not_end_the_session(
    system: System, user: User, chat: Chat, request_id: str, master: Master
) -> None:
    async with connected(system, x_custom_invoke_key="forger") as forger:
        for frame in _odd_frames():
            await forger.send(frame)
        for payload in _odd_payloads():
            await forger.invoke_bridge(payload)
        await forger.invoke_bridge({"huge": "x" * 10 * 1024 * 1024})
        await master.log("still heard", chat.session_id, request_id)
        rows = await _until_logged(system, chat.session_id, 1)
    assert [row["message"] for row in rows] == ["still heard"]
    assert "the router session was lost" not in system.log_of("bridge 1")
    await until_inbox_is_empty(system, user)


def _odd_frames() -> list[Json]:
    to_us = {"invoked_by": "master_server_be"}
    return [
        {"message_type": "agent_error", "error": {"error_message": "forged"}, **to_us},
        {"message_type": "agent_error", "error": 5, **to_us},
        {
            "message_type": "agent_error",
            "error": {
                "error_message": "Agent has been unregistered",
                "agent_uuid": "master_server_be",
            },
            **to_us,
        },
        {"message_type": "agent_response", "response": 5, **to_us},
        {"message_type": "agent_response", **to_us},
        {"message_type": "nothing known"},
        {},
    ]


def _odd_payloads() -> list[Any]:
    return [
        5,
        None,
        "text",
        [],
        {},
        {"probe": 5},
        {"probe": "forged"},
        {"message_type": "agent_register"},
        {"message_type": "agent_register", "agent_uuid": 5, "agent_jwt": []},
        {"message_type": "agent_log", "agent_uuid": {}, "session_id": 1},
        {"message_type": ["agent_log"], "agent_uuid": "x"},
        {"error_message": "forged", "error_type": "AgentGeneralError"},
    ]


async def test_many_agents_may_log_at_the_same_time(
    system: System, user: User, chat: Chat, request_id: str
) -> None:
    agents = [await user.register_agent(f"a{number}", "b") for number in range(5)]

    async def log(agent: Json) -> None:
        async with connected_agent(system, agent["jwt"]) as connection:
            await connection.register()
            for number in range(40):
                await connection.log(str(number), chat.session_id, request_id)

    await asyncio.gather(*map(log, agents))
    rows = await _until_logged(system, chat.session_id, 200)
    assert [row["seq"] for row in rows] == list(range(2, 202))
    for agent in agents:
        mine = [row["message"] for row in rows if row["agent_id"] == agent["id"]]
        assert mine == [str(number) for number in range(40)]
